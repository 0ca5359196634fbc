import { t } from "../language.ts";
import { useTitle } from "./title.ts";

export function NotFound({ what }: { what: "page" | "photo" }) {
  useTitle(t.ui.notFound);
  return (
    <section class="notice">
      <p class="notice-code" aria-hidden="true">
        404
      </p>
      <h1>{what === "page" ? t.ui.pageNotFound : t.ui.photoNotFound}</h1>
      <p>{what === "page" ? t.ui.checkAddress : t.ui.photoGone}</p>
      <a class="button primary" href="/">
        {t.ui.showAllPhotos}
      </a>
    </section>
  );
}
