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
import { loadMe, may, me, meError, switchCompany } from "./account/me.ts";
import { ActivityPage } from "./activity-page.tsx";
import { ContentPage } from "./content-page.tsx";
import { DropTarget } from "./drop-zone.tsx";
import { GridPage } from "./grid-page.tsx";
import { Logo } from "./icons.tsx";
import { isSending, jobs } from "./jobs.ts";
import { NotFound } from "./not-found.tsx";
import { ProjectsPage } from "./projects-page.tsx";
import { Review } from "./review.tsx";
import { StoragePage } from "./storage/storage-page.tsx";
import { Toasts, toastError } from "./toasts.tsx";
import { UsagePage } from "./usage-page.tsx";
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
        /^\/(content\/|storage$|account$|company$|projects$|activity$|usage$|webhooks$|forgot-password$|\?|$)/
      }
    >
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
      {may("content:submit") && <DropTarget />}
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
      {me.value && <CompanySwitch />}
      <nav class="site-nav" aria-label="Studio">
        {me.value?.company && <NavLink href="/projects">Projects</NavLink>}
        {may("storage:read") && <NavLink href="/storage">Storage</NavLink>}
        {may("webhooks:manage") && <NavLink href="/webhooks">Webhooks</NavLink>}
        {may("audit:read") && <NavLink href="/activity">Activity</NavLink>}
        {me.value?.company && <NavLink href="/usage">Usage</NavLink>}
        {me.value?.company && <NavLink href="/company">Company</NavLink>}
        {me.value?.company && <NavLink href="/account">Account</NavLink>}
        <NavLink href="/api/docs">API</NavLink>
      </nav>
    </header>
  );
}

function NavLink({ href, children }: { href: string; children: string }) {
  const { path } = useLocation();
  return (
    <a class="quiet-link" href={href} aria-current={path === href ? "page" : undefined}>
      {children}
    </a>
  );
}

function CompanySwitch() {
  const { companies, company } = me.value!;
  if (companies.length < 2) return null;
  return (
    <label class="company-switch">
      <span class="visually-hidden">Company</span>
      <select
        value={company?.id ?? ""}
        onChange={({ currentTarget }) => void switchCompany(currentTarget.value).catch(toastError)}
      >
        {!company && <option value="">Choose …</option>}
        {companies.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Pages that need nobody. */
const OPEN_PAGES: Readonly<Record<string, () => JSX.Element>> = {
  "/setup": SetUpPage,
  "/invitation": InvitationPage,
  "/forgot-password": ForgotPasswordPage,
  "/reset-password": ResetPasswordPage,
  "/mailbox": MailboxPage,
};

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
        {meError.value ? (
          <p>{meError.value.message}</p>
        ) : (
          <span class="spinner large" role="img" aria-label="Loading" />
        )}
      </div>
    );
  }
  if (me.value === null) return <SignInPage />;
  if (!me.value.company) return <ChooseCompanyPage />;
  if (path === "/") return <GridPage />;
  if (path === "/projects") return <ProjectsPage />;
  if (path === "/activity" && may("audit:read")) return <ActivityPage />;
  if (path === "/usage") return <UsagePage />;
  if (path === "/account") return <AccountPage />;
  if (path === "/company") return <CompanyPage />;
  if (path === "/storage" && may("storage:read")) return <StoragePage />;
  if (path === "/webhooks" && may("webhooks:manage")) return <WebhooksPage />;
  const id = /^\/content\/([^/]+)$/.exec(path)?.[1];
  return id ? <ContentPage key={id} id={id} /> : <NotFound what="page" />;
}

void loadMe();
render(<Studio />, document.getElementById("app")!);
