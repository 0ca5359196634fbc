import { useTitle } from "./title.ts";

export function NotFound({ what }: { what: "page" | "photo" }) {
  useTitle("Not found");
  return (
    <section class="notice">
      <p class="notice-code" aria-hidden="true">
        404
      </p>
      <h1>{what === "page" ? "Page not found" : "Photo not found"}</h1>
      <p>{what === "page" ? "Check the address." : "The photo was deleted, or the address is incomplete."}</p>
      <a class="button primary" href="/">
        Show all photos
      </a>
    </section>
  );
}
