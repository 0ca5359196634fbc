import "../theme.css";
import "./studio.css";
import { signal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { LocationProvider, useLocation } from "preact-iso";
import { ContentPage } from "./content-page.tsx";
import { DropTarget } from "./drop-zone.tsx";
import { GridPage } from "./grid-page.tsx";
import { Logo } from "./icons.tsx";
import { isSending, jobs } from "./jobs.ts";
import { NotFound } from "./not-found.tsx";
import { Review } from "./review.tsx";
import { StoragePage } from "./storage/storage-page.tsx";
import { Toasts } from "./toasts.tsx";

const online = signal(navigator.onLine);
for (const event of ["online", "offline"]) addEventListener(event, () => (online.value = navigator.onLine));

addEventListener("beforeunload", (event) => {
  if (isSending()) event.preventDefault();
});

function Studio() {
  return (
    <LocationProvider scope={/^\/(content\/|storage$|\?|$)/}>
      <a class="skip-link" href="#main">
        Skip to content
      </a>
      <Header />
      {!online.value && (
        <p class="banner" role="status">
          You are offline. What is stored stays safe; this page catches up when the connection is back.
        </p>
      )}
      <Page />
      <DropTarget />
      <Review />
      <Toasts />
    </LocationProvider>
  );
}

function Header() {
  const running = jobs.value.filter(({ state }) => state.value.kind === "running").length;
  return (
    <header class="site-header">
      <a class="wordmark" href="/">
        <Logo />
        Vivimark
      </a>
      {running > 0 && (
        <a class="running" href="/">
          <span class="spinner" aria-hidden="true" />
          {running === 1 ? "1 photo in progress" : `${running} photos in progress`}
        </a>
      )}
      <a class="quiet-link" href="/storage">
        Storage
      </a>
      <a class="quiet-link" href="/api/docs">
        API
      </a>
    </header>
  );
}

function Page() {
  const { path } = useLocation();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [path]);

  const id = /^\/content\/([^/]+)$/.exec(path)?.[1];
  return (
    <main id="main" ref={main} tabIndex={-1}>
      {path === "/" && <GridPage />}
      {id && <ContentPage key={id} id={id} />}
      {path === "/storage" && <StoragePage />}
      {path !== "/" && path !== "/storage" && !id && <NotFound what="page" />}
    </main>
  );
}

render(<Studio />, document.getElementById("app")!);
