import { useTitle } from "./title.ts";

export function NotFound({ what }: { what: "page" | "photo" }) {
  useTitle("Not found");
  return (
    <section class="notice">
      <p class="notice-code" aria-hidden="true">
        404
      </p>
      <h1>{what === "page" ? "There is no such page" : "This photo is not here"}</h1>
      <p>
        {what === "page" ? "The address leads nowhere." : "It was deleted, or the address is incomplete."}
      </p>
      <a class="button primary" href="/">
        All photos
      </a>
    </section>
  );
}
