// What a law's names are, as types: `Engine.open<PazarLaw>(..)` lets the editor find a misspelt action or event.

import type { Values } from "./values";

/** A contract's names. */
export interface ContractNames {
  /** The states. */
  state: string;
  /** The facts. */
  facts: Values;
  /** The births, each with its arguments. */
  begin: { [event: string]: Values };
  /** The events and overrides, each with its arguments. */
  event: { [event: string]: Values };
}

/** A law's names. */
export interface LawNames {
  /** The actions that `can` may be asked about. */
  action: string;
  /** The contracts. */
  contract: { [name: string]: ContractNames };
}

/** The names of a key that are texts. */
export type Text<T> = keyof T & string;
