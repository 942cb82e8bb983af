import { Told } from "./answer";
/** The answers of one engine. */
export declare class Known {
    #private;
    /** The answer of this number, where its text was fetched and is still kept. */
    get(number: number): Told | undefined;
    /** Keeps an answer's text. */
    keep(number: number, allowed: boolean, json: string): Told;
}
