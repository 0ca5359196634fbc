import { useEffect, useRef, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { may, me, switchCompany } from "./account/me.ts";
import { t } from "./language.ts";
import { IconClose, IconMenu, Logo } from "./ui/icons.tsx";
import { rich } from "./ui/rich.tsx";
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
            {rich(t.frame.running(running), { words: (part) => <span class="running-text">{part}</span> })}
          </span>
        </a>
      )}
      {me.value && <CompanySwitch />}
      {me.value !== undefined && <SiteNav />}
    </header>
  );
}

function linksOf(company: boolean): readonly (readonly [href: string, label: string])[] {
  const { pages } = t.frame;
  return [
    company && (["/projects", pages.projects] as const),
    may("storage:read") && (["/storage", pages.storage] as const),
    may("webhooks:manage") && (["/webhooks", pages.webhooks] as const),
    may("audit:read") && (["/activity", pages.activity] as const),
    company && (["/usage", pages.usage] as const),
    company && (["/company", pages.company] as const),
    may("platform:operate") && (["/platform", pages.platform] as const),
    company && (["/account", pages.account] as const),
    ["/reference", pages.reference] as const,
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
          {t.frame.menu}
        </button>
      )}
      <nav id="site-nav" class={open ? "site-nav open" : "site-nav"} aria-label={t.frame.navigation}>
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
      <span class="visually-hidden">{t.frame.company}</span>
      <select
        value={company?.id ?? ""}
        onChange={({ currentTarget }) => void switchCompany(currentTarget.value).catch(toastError)}
      >
        {!company && <option value="">{t.frame.chooseCompany}</option>}
        {companies.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
