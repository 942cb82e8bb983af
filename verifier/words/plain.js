/**
 * Foreign text for people's eyes: whatever could move, hide or reverse what stands beside it is written out.
 * @module
 */

// Control characters, format characters (all that turns or isolates writing direction), separators of lines, what has no meaning.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]/gu;

/**
 * @param {string} text
 * @returns {string}
 */
export function plain(text) {
  return text.replace(UNSEEN, (character) => `\\u{${/** @type {number} */ (character.codePointAt(0)).toString(16)}}`);
}
