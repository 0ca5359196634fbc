import { parseXml, XmlElement } from "@rgrove/parse-xml";

export type { XmlElement };

/** Returns the root element; null for text that is not well-formed XML. Declared entities are not supported. */
export function readXml(text: string): XmlElement | null {
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
