import { useEffect, useState } from "preact/hooks";
import type { AuditEntry } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { dateTime } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { hidden, rich } from "../ui/rich.tsx";
import { useTitle } from "../ui/title.ts";
import { toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import "../account/account.css";
import "./activity-page.css";

/** The loaded part of the log. */
interface Page {
  readonly filter: api.AuditFilter;
  readonly items: readonly AuditEntry[];
  readonly next: string | null;
  /** Why it could not be loaded; otherwise empty. */
  readonly error: string;
}

/** The audit log of the company. */
export function ActivityPage() {
  const texts = t.company.activity;
  const title = t.frame.pages.activity;
  // Every action starts with one of them.
  const subjects = texts.subjects satisfies Record<api.AuditSubject, string>;
  useTitle(title);
  const [filter, setFilter] = useState<api.AuditFilter>({});
  const [page, setPage] = useState<Page | null>(null);
  const [loading, setLoading] = useState(false);
  /** The earlier list stays until the new one is loaded. */
  const isStale = page !== null && page.filter !== filter;

  useEffect(() => {
    const controller = new AbortController();
    api.listAudit(filter, undefined, controller.signal).then(
      ({ items, next_cursor }) => setPage({ filter, items, next: next_cursor, error: "" }),
      (reason) => {
        if (!controller.signal.aborted) setPage({ filter, items: [], next: null, error: messageOf(reason) });
      },
    );
    return () => controller.abort();
  }, [filter]);

  const more = async (before: Page, cursor: string) => {
    setLoading(true);
    try {
      const { items, next_cursor } = await api.listAudit(before.filter, cursor);
      // The filter may have changed in between.
      setPage((now) =>
        now === before ? { ...before, items: [...before.items, ...items], next: next_cursor } : now,
      );
    } catch (reason) {
      toastError(reason);
    } finally {
      setLoading(false);
    }
  };
  const narrow = (change: api.AuditFilter) => setFilter((before) => ({ ...before, ...change }));

  return (
    <div class="account-page activity-page">
      <div class="account-head">
        <h1>{title}</h1>
        <a class="button" href={api.auditCsvUrl(filter)} download>
          {texts.exportCsv}
        </a>
      </div>
      <search class="activity-filter">
        <label class="field">
          {texts.type}
          <select
            value={filter.subject ?? ""}
            onChange={({ currentTarget }) =>
              narrow({ subject: (currentTarget.value || undefined) as api.AuditSubject | undefined })
            }
          >
            <option value="">{texts.everything}</option>
            {Object.entries(subjects).map(([subject, words]) => (
              <option key={subject} value={subject}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          {texts.from}
          <input
            type="date"
            onChange={({ currentTarget }) => narrow({ from: startOf(currentTarget.value, 0) })}
          />
        </label>
        <label class="field">
          {texts.until}
          <input
            type="date"
            onChange={({ currentTarget }) => narrow({ to: startOf(currentTarget.value, 1) })}
          />
        </label>
        {filter.actor && (
          <button type="button" class="button" onClick={() => narrow({ actor: undefined })}>
            {rich(texts.onlyActor, { hidden, name: () => filter.actor?.name })}
          </button>
        )}
      </search>
      {page?.error && !isStale && (
        <p class="banner bad" role="alert">
          {page.error}
        </p>
      )}
      {(!page || (isStale && page.items.length === 0)) && <Loading />}
      {page && page.items.length === 0 && !page.error && !isStale && <p class="hint">{texts.noMatch}</p>}
      {page && page.items.length > 0 && (
        <section class={isStale ? "panel stale" : "panel"} aria-label={title} aria-busy={isStale}>
          <ul class="rows">
            {page.items.map((entry) => (
              <Row key={entry.id} entry={entry} onActor={(actor) => narrow({ actor })} />
            ))}
          </ul>
          {page.next !== null && (
            <button
              type="button"
              class="button"
              disabled={loading || isStale}
              onClick={() => void more(page, page.next!)}
            >
              {loading ? texts.loading : texts.loadMore}
            </button>
          )}
        </section>
      )}
    </div>
  );
}

function Row({ entry, onActor }: { entry: AuditEntry; onActor: (actor: AuditEntry["actor"]) => void }) {
  const texts = t.company.activity;
  const { actor, address, action, object, detail, created_at: at } = entry;
  const name = () => (
    <button type="button" class="link-button" onClick={() => onActor(actor)}>
      {actor.name}
    </button>
  );
  return (
    <li>
      <span>
        {texts.actions[action]}: {object.name}
        {detail && <small>{describe(detail)}</small>}
        <small>
          {actor.kind === "key" ? rich(texts.key, { name }) : name()}
          {address && `, ${texts.fromAddress(address)}`}
        </small>
      </span>
      <time class="hint" dateTime={at}>
        {dateTime(at)}
      </time>
    </li>
  );
}

function describe(detail: Readonly<Record<string, unknown>>): string {
  return Object.entries(detail)
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${plain(value)}`)
    .join("; ");
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.join(", ");
  const texts = t.company.activity;
  if (value === null) return texts.none;
  return typeof value === "boolean" ? (value ? texts.yes : texts.no) : String(value);
}

/** Returns the start of a day in this browser's time zone, moved by a number of days. */
function startOf(day: string, later: number): string | undefined {
  if (day === "") return undefined;
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}
