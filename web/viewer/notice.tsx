import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { PictureIcon, WarningIcon } from "./icons.tsx";

/** A full-page message. Its heading takes the focus, so that screen readers read it. */
export function Notice(props: { title: string; tone?: "plain" | "warn"; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <main class="notice">
      <div class="notice-card">
        <span class={`notice-mark ${props.tone === "warn" ? "is-warn" : ""}`}>
          {props.tone === "warn" ? <WarningIcon /> : <PictureIcon />}
        </span>
        <h1 ref={heading} tabIndex={-1}>
          {props.title}
        </h1>
        {props.children}
      </div>
    </main>
  );
}
