import type { ComponentChildren, JSX } from "preact";

/** Renders the parts of a text that stand between tags of a name. */
type Renderers = Readonly<Record<string, (part: ComponentChildren) => ComponentChildren>>;

/**
 * Returns a text in which tags mark parts: `Ask <name></name>, or read the <link>guide</link>.` A part may contain
 * other tags. A tag that is not one of `renderers`, such as one in a name, stays text.
 */
export function rich(text: string, renderers: Renderers): JSX.Element {
  // Every third piece is the name of a tag, and the one after it is its part.
  const pieces = text.split(/<(\w+)>(.*?)<\/\1>/);
  const shown = pieces.map((piece, at) => {
    if (at % 3 === 0) return piece;
    if (at % 3 === 1) return null;
    const name = pieces[at - 1]!;
    return Object.hasOwn(renderers, name)
      ? renderers[name]!(rich(piece, renderers))
      : `<${name}>${piece}</${name}>`;
  });
  return <>{shown}</>;
}

/** Renders a part that only screen readers read: `Remove<hidden> <name></name></hidden>`. */
export const hidden = (part: ComponentChildren) => <span class="visually-hidden">{part}</span>;
