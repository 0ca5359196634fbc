import { parseXml, XmlElement } from "@rgrove/parse-xml";

export type { XmlElement };

/** The root element; null for what is no well-formed XML. Entities that a document declares are not known. */
export function readXml(text: string): XmlElement | null {
  try {
    // Servers that need long for an answer send spaces ahead of it.
    return parseXml(text.trimStart()).root;
  } catch {
    return null;
  }
}

/** The elements of a name right below an element. */
export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter(
    (child): child is XmlElement => child instanceof XmlElement && child.name === name,
  );
}

/** The text of the first such element; null when there is none. */
export function textOf(element: XmlElement, name: string): string | null {
  return childrenOf(element, name)[0]?.text ?? null;
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\r\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}
