import { useEffect, useState } from "preact/hooks";
import type { CompanyUsage } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { byteSize, count } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { useTitle } from "../ui/title.ts";
import * as api from "./api.ts";
import "../account/account.css";
import "./usage-page.css";

/** The usage of the company and its quotas. */
export function UsagePage() {
  useTitle("Usage");
  const [usage, setUsage] = useState<CompanyUsage | null>(null);
  const [error, setError] = useState("");

  useEffect(() => {
    const controller = new AbortController();
    api.getUsage(controller.signal).then(setUsage, (reason) => {
      if (!controller.signal.aborted) setError(messageOf(reason));
    });
    return () => controller.abort();
  }, []);

  return (
    <div class="account-page usage-page">
      <h1>Usage</h1>
      {error && (
        <p class="banner" role="alert">
          {error}
        </p>
      )}
      {!usage && !error && <Loading />}
      {usage && (
        <>
          <section class="panel" aria-label="Usage and quotas">
            <Bar name="Photos" {...usage.contents} show={count} />
            <Bar name="Stored photos, markers and videos" {...usage.bytes} show={byteSize} />
            <Bar name="Compilations today" {...usage.compilations} show={count} />
            <p class="hint">
              Compilations are counted per day (UTC) and reset at {clock(usage.compilations.resets_at)}, your
              time. Deleted files do not count; they are kept for up to 24 hours
              {usage.deleted_files.count > 0 &&
                `: ${count(usage.deleted_files.count)} now, ${byteSize(usage.deleted_files.bytes)}`}
              .
            </p>
          </section>
          <section class="panel" aria-labelledby="records-title">
            <h2 id="records-title">Records</h2>
            <Bar name="Activity log entries" {...usage.records.audit_entries} show={count} />
            <Bar name="Webhook events" {...usage.records.webhook_events} show={count} />
            <Bar name="Webhook deliveries" {...usage.records.webhook_deliveries} show={count} />
            <Bar name="Idempotency-Keys" {...usage.records.idempotency_keys} show={count} />
            <Bar name="Responses kept for them" {...usage.records.idempotency_bytes} show={byteSize} />
            <p class="hint">
              Above the limit, the oldest entries, events and deliveries are deleted. Idempotency-Keys are
              kept for 24 hours.
            </p>
          </section>
          <section class="panel" aria-labelledby="days-title">
            <h2 id="days-title">Compilations in the last {usage.days.length} days</h2>
            <Days days={usage.days} />
          </section>
        </>
      )}
    </div>
  );
}

interface Amount {
  readonly used: number;
  readonly limit: number | null;
}

/** From this share on, the bar shows a warning. */
const NEARLY_FULL = 0.9;

function Bar({ name, used, limit, show }: Amount & { name: string; show: (value: number) => string }) {
  const share = limit === null ? 0 : Math.min(1, used / limit);
  const full = limit !== null && used >= limit ? " (quota reached)" : "";
  const words = limit === null ? `${show(used)}, no limit` : `${show(used)} of ${show(limit)}${full}`;
  return (
    <div class="progress">
      <div class="usage-text">
        <span dir="auto">{name}</span>
        <span class="hint">{words}</span>
      </div>
      {limit !== null && (
        <div class={`progress-track ${share >= NEARLY_FULL ? "full" : ""}`} aria-hidden="true">
          <div class="progress-fill" style={{ transform: `scaleX(${share})` }} />
        </div>
      )}
    </div>
  );
}

const COLUMN = 20;
const GAP = 4;
const HEIGHT = 120;

function Days({ days }: Pick<CompanyUsage, "days">) {
  const most = Math.max(1, ...days.map(({ compilations }) => compilations));
  const total = days.reduce((sum, { compilations }) => sum + compilations, 0);
  const [first, last] = [days[0], days[days.length - 1]];
  return (
    <figure class="usage-days">
      <svg viewBox={`0 0 ${COLUMN * days.length} ${HEIGHT}`} role="img" aria-labelledby="usage-days-words">
        <title id="usage-days-words">
          {`${count(total)} compilations from ${date(first.day)} to ${date(last.day)}, at most ${count(most)} per day`}
        </title>
        {days.map(({ day, compilations }, i) => {
          // Every number above zero is visible.
          const height = compilations === 0 ? 1 : Math.max(3, (HEIGHT * compilations) / most);
          return (
            <rect
              key={day}
              class={compilations === 0 ? "none" : ""}
              x={COLUMN * i + GAP / 2}
              y={HEIGHT - height}
              width={COLUMN - GAP}
              height={height}
              rx={Math.min(2, height / 2)}
            >
              <title>{`${date(day)}: ${count(compilations)}`}</title>
            </rect>
          );
        })}
      </svg>
      <figcaption>
        <span>{date(first.day)}</span>
        <span>{total === 0 ? "None yet" : `${count(total)} in total, at most ${count(most)} per day`}</span>
        <span>{date(last.day)}</span>
      </figcaption>
    </figure>
  );
}

const DATE = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", timeZone: "UTC" });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

function date(day: string): string {
  return DATE.format(new Date(day));
}

function clock(iso: string): string {
  return CLOCK.format(new Date(iso));
}
