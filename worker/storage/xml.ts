import { parseXml, XmlElement } from "@rgrove/parse-xml";

export type { XmlElement };

/** Tags and attributes of a text together, about. A list of 1,000 files has 16,000. */
const MAX_MARKS = 100_000;

/**
 * Returns the root element; null for text that is not well-formed XML, or has so many tags or attributes that its
 * elements would need much more memory than the text. Declared entities are not supported.
 */
export function readXml(text: string): XmlElement | null {
  let marks = 0;
  for (const _ of text.matchAll(/[<=]/g)) if (++marks > MAX_MARKS) return null;
  try {
    // Servers that need long for a response send spaces first.
    return parseXml(text.trimStart()).root;
  } catch {
    return null;
  }
}

/** Returns the child elements of a name. */
export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter(
    (child): child is XmlElement => child instanceof XmlElement && child.name === name,
  );
}

/** Returns the text of the first child element of a name; null without one. */
export function textOf(element: XmlElement, name: string): string | null {
  return childrenOf(element, name)[0]?.text ?? null;
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\r\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}
