import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { may, me, switchCompany } from "./account/me.ts";
import { IconClose, IconMenu, Logo } from "./ui/icons.tsx";
import { toastError } from "./ui/toasts.tsx";
import { jobs } from "./upload/jobs.ts";
import "./site-header.css";

/** The header of every page: home, running jobs, the company and the navigation. */
export function SiteHeader() {
  const running = jobs.value.filter(({ state }) => state.value.kind === "running").length;
  return (
    <header class="site-header">
      <a class="wordmark" href="/">
        <Logo />
        <span class="wordmark-name">Vivimark</span>
      </a>
      {running > 0 && (
        <a class="running" href="/">
          <span class="spinner" aria-hidden="true" />
          <span>
            {running}
            <span class="running-text"> {running === 1 ? "photo" : "photos"} in progress</span>
          </span>
        </a>
      )}
      {me.value && <CompanySwitch />}
      {me.value !== undefined && <SiteNav />}
    </header>
  );
}

function linksOf(company: boolean): readonly (readonly [href: string, label: string])[] {
  return [
    company && (["/projects", "Projects"] as const),
    may("storage:read") && (["/storage", "Storage"] as const),
    may("webhooks:manage") && (["/webhooks", "Webhooks"] as const),
    may("audit:read") && (["/activity", "Activity"] as const),
    company && (["/usage", "Usage"] as const),
    company && (["/company", "Company"] as const),
    may("platform:operate") && (["/platform", "Platform"] as const),
    company && (["/account", "Account"] as const),
    ["/reference", "API"] as const,
  ].filter((link) => link !== false);
}

/** The navigation: links side by side, or a menu on narrow screens. */
function SiteNav() {
  const { path } = useLocation();
  const [open, setOpen] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const links = linksOf(me.value?.company != null);

  useEffect(() => {
    if (!open) return;
    const listening = new AbortController();
    const { signal } = listening;
    const leave = ({ target }: Event) => {
      if (!frame.current!.contains(target as Node)) setOpen(false);
    };
    const closeOnEscape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current!.focus();
    };
    addEventListener("pointerdown", leave, { signal });
    addEventListener("focusin", leave, { signal });
    addEventListener("keydown", closeOnEscape, { signal });
    return () => listening.abort();
  }, [open]);

  const choose = (href: string) => {
    setOpen(false);
    // Any other page takes the focus itself.
    if (href === path) button.current!.focus();
  };
  return (
    <div ref={frame} class={links.length > 1 ? "site-menu" : undefined}>
      {links.length > 1 && (
        <button
          ref={button}
          type="button"
          class="menu-button"
          aria-expanded={open}
          aria-controls="site-nav"
          onClick={() => setOpen(!open)}
        >
          {open ? <IconClose /> : <IconMenu />}
          Menu
        </button>
      )}
      <nav id="site-nav" class={open ? "site-nav open" : "site-nav"} aria-label="Studio">
        {links.map(([href, label]) => (
          <a
            key={href}
            class="quiet-link"
            href={href}
            aria-current={path === href ? "page" : undefined}
            onClick={() => choose(href)}
          >
            {label}
          </a>
        ))}
      </nav>
    </div>
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
        {!company && <option value="">Choose a company</option>}
        {companies.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
