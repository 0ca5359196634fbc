import { useEffect, useState } from "preact/hooks";
import type { AuditEntry } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { dateTime } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { useTitle } from "../ui/title.ts";
import { toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import "../account/account.css";
import "./activity-page.css";

/** The subjects to filter by. Every action starts with one of them. */
const KINDS = {
  content: "Photos",
  marker: "Markers",
  video: "Videos",
  project: "Projects",
  company: "Company",
  storage: "Current storage",
  connection: "Storage connections",
  migration: "Storage migrations",
  webhook: "Webhooks",
  key: "API keys",
  member: "Members",
  invitation: "Invitations",
  person: "Sign-ins and passwords",
  platform: "Platform",
} as const satisfies Record<api.AuditSubject, string>;

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
  useTitle("Activity");
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
        <h1>Activity</h1>
        <a class="button" href={api.auditCsvUrl(filter)} download>
          Export CSV
        </a>
      </div>
      <search class="activity-filter">
        <label class="field">
          Type
          <select
            value={filter.subject ?? ""}
            onChange={({ currentTarget }) =>
              narrow({ subject: (currentTarget.value || undefined) as api.AuditSubject | undefined })
            }
          >
            <option value="">Everything</option>
            {Object.entries(KINDS).map(([kind, words]) => (
              <option key={kind} value={kind}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          From
          <input
            type="date"
            onChange={({ currentTarget }) => narrow({ from: startOf(currentTarget.value, 0) })}
          />
        </label>
        <label class="field">
          Until
          <input
            type="date"
            onChange={({ currentTarget }) => narrow({ to: startOf(currentTarget.value, 1) })}
          />
        </label>
        {filter.actor && (
          <button type="button" class="button" onClick={() => narrow({ actor: undefined })}>
            Only {filter.actor.name} ×<span class="visually-hidden"> (show everyone)</span>
          </button>
        )}
      </search>
      {page?.error && !isStale && (
        <p class="banner bad" role="alert">
          {page.error}
        </p>
      )}
      {(!page || (isStale && page.items.length === 0)) && <Loading />}
      {page && page.items.length === 0 && !page.error && !isStale && <p class="hint">No activity matches.</p>}
      {page && page.items.length > 0 && (
        <section class={isStale ? "panel stale" : "panel"} aria-label="Activity" aria-busy={isStale}>
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
              {loading ? "Loading…" : "Load more"}
            </button>
          )}
        </section>
      )}
    </div>
  );
}

function Row({ entry, onActor }: { entry: AuditEntry; onActor: (actor: AuditEntry["actor"]) => void }) {
  const { actor, address, what, object, detail, created_at: at } = entry;
  return (
    <li>
      <span>
        {what}: {object.name}
        {detail && <small>{describe(detail)}</small>}
        <small>
          <button type="button" class="link-button" onClick={() => onActor(actor)}>
            {actor.name}
          </button>
          {actor.kind === "key" && " (API key)"}
          {address && `, from ${address}`}
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
  if (value === null) return "none";
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

/** Returns the start of a day in this browser's time zone, moved by a number of days. */
function startOf(day: string, later: number): string | undefined {
  if (day === "") return undefined;
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}
