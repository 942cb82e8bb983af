/**
 * Elements whose content is text: nothing that was read ever becomes markup.
 * @module
 */

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element ${id}`);
  return found;
}

/**
 * Pairs that have something to say.
 * @param {[string, Node | string | null][]} pairs
 */
export function pairs(pairs) {
  const list = element('dl');
  for (const [name, value] of pairs) if (value !== null && value !== '') list.append(element('dt', {}, name), element('dd', {}, value));
  return list;
}
