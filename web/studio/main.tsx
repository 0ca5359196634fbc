import { Loading } from "./ui/loading.tsx";
import "../theme.css";
import "./studio.css";
import { signal } from "@preact/signals";
import { type JSX, render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { LocationProvider, useLocation } from "preact-iso";
import { AccountPage } from "./account/account-page.tsx";
import { CompanyPage } from "./account/company-page.tsx";
import {
  ChooseCompanyPage,
  ForgotPasswordPage,
  InvitationPage,
  MailboxPage,
  ResetPasswordPage,
  SetUpPage,
  SignInPage,
} from "./account/entry-pages.tsx";
import { loadMe, may, me, meError } from "./account/me.ts";
import { NotAllowed } from "./account/not-allowed.tsx";
import { DropTarget } from "./add/drop-zone.tsx";
import { Review } from "./add/review.tsx";
import { messageOf } from "./api/errors.ts";
import { pausedUntil } from "./api/rate-limit.ts";
import { ActivityPage } from "./company/activity-page.tsx";
import { ProjectsPage } from "./company/projects-page.tsx";
import { UsagePage } from "./company/usage-page.tsx";
import { language, loadTexts, t } from "./language.ts";
import { ContentPage } from "./photo/content-page.tsx";
import { GridPage } from "./photos/grid-page.tsx";
import { returnToPlace } from "./photos/place.ts";
import { PlatformPage } from "./platform/platform-page.tsx";
import { ReferencePage } from "./reference/reference-page.tsx";
import { SiteFooter } from "./site-footer.tsx";
import { SiteHeader } from "./site-header.tsx";
import { StoragePage } from "./storage/storage-page.tsx";
import { moment } from "./ui/format.ts";
import { NotFound } from "./ui/not-found.tsx";
import { Toasts, toastError } from "./ui/toasts.tsx";
import { isSending, resumeUnfinished } from "./upload/jobs.ts";
import { WebhooksPage } from "./webhooks/webhooks-page.tsx";

const online = signal(navigator.onLine);
for (const event of ["online", "offline"]) addEventListener(event, () => (online.value = navigator.onLine));

addEventListener("beforeunload", (event) => {
  if (isSending()) event.preventDefault();
});

function Studio() {
  return (
    <LocationProvider
      scope={
        /^\/(content\/|storage$|account$|company$|projects$|activity$|usage$|webhooks$|platform$|reference$|forgot-password$|\?|$)/
      }
    >
      <a class="skip-link" href="#main">
        {t.frame.skip}
      </a>
      <SiteHeader />
      {!online.value && (
        <p class="banner" role="status">
          {t.frame.offline}
        </p>
      )}
      {me.value?.public_url === null && may("company:manage") && (
        <p class="banner bad" role="status">
          {t.frame.noPublicUrl}
        </p>
      )}
      {pausedUntil.value !== null && (
        <p class="banner" role="status">
          {t.frame.paused(moment(pausedUntil.value))}
        </p>
      )}
      <Page />
      <SiteFooter />
      {may("content:submit") && <DropTarget />}
      <Review />
      <Toasts />
    </LocationProvider>
  );
}

/** Pages that are open without signing in. */
const OPEN_PAGES: Readonly<Record<string, () => JSX.Element>> = {
  "/setup": SetUpPage,
  "/invitation": InvitationPage,
  "/forgot-password": ForgotPasswordPage,
  "/reset-password": ResetPasswordPage,
  "/mailbox": MailboxPage,
  "/reference": ReferencePage,
};

function Page() {
  const { path } = useLocation();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    const isBack = path === "/" && returnToPlace();
    if (!isBack) scrollTo(0, 0);
    const hasFocus = isBack && main.current?.contains(document.activeElement);
    if (!hasFocus) main.current?.focus({ preventScroll: true });
  }, [path]);

  return (
    <main id="main" ref={main} tabIndex={-1}>
      <Content path={path} />
    </main>
  );
}

function Content({ path }: { path: string }) {
  const Open = OPEN_PAGES[path];
  if (Open) return <Open />;
  if (me.value === undefined) {
    return (
      <div class="notice" aria-busy={!meError.value}>
        {meError.value ? <p>{messageOf(meError.value)}</p> : <Loading />}
      </div>
    );
  }
  if (me.value === null) return <SignInPage />;
  if (!me.value.company) return <ChooseCompanyPage />;
  if (path === "/") return <GridPage />;
  if (path === "/projects") return <ProjectsPage />;
  if (path === "/activity")
    return may("audit:read") ? <ActivityPage /> : <NotAllowed page={t.frame.pages.activity} />;
  if (path === "/usage") return <UsagePage />;
  if (path === "/account") return <AccountPage />;
  if (path === "/company") return <CompanyPage />;
  if (path === "/storage")
    return may("storage:read") ? <StoragePage /> : <NotAllowed page={t.frame.pages.storage} />;
  if (path === "/webhooks")
    return may("webhooks:manage") ? <WebhooksPage /> : <NotAllowed page={t.frame.pages.webhooks} />;
  if (path === "/platform" && may("platform:operate")) return <PlatformPage />;
  const id = /^\/content\/([^/]+)$/.exec(path)?.[1];
  return id ? <ContentPage key={id} id={id} /> : <NotFound what="page" />;
}

document.documentElement.lang = language;
const texts = loadTexts();
void texts.then(() => render(<Studio />, document.getElementById("app")!));
loadMe()
  .then(async () => {
    await texts;
    if (may("content:submit")) await resumeUnfinished();
  })
  .catch(async (error) => {
    await texts;
    toastError(error);
  });
