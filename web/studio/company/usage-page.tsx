import { useEffect, useState } from "preact/hooks";
import type { CompanyUsage } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { language, t } from "../language.ts";
import { byteSize, count } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { useTitle } from "../ui/title.ts";
import * as api from "./api.ts";
import "../account/account.css";
import "./usage-page.css";

/** The usage of the company and its quotas. */
export function UsagePage() {
  const texts = t.company.usage;
  useTitle(t.frame.pages.usage);
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
      <h1>{t.frame.pages.usage}</h1>
      {error && (
        <p class="banner" role="alert">
          {error}
        </p>
      )}
      {!usage && !error && <Loading />}
      {usage && (
        <>
          <section class="panel" aria-label={texts.quotas}>
            <Bar name={texts.photos} {...usage.contents} show={count} />
            <Bar name={texts.files} {...usage.bytes} show={byteSize} />
            <Bar name={texts.compilationsToday} {...usage.compilations} show={count} />
            <p class="hint">
              {texts.compilationsReset(clock(usage.compilations.resets_at))}{" "}
              {usage.deleted_files.count > 0
                ? texts.deletedFilesNow(usage.deleted_files.count, byteSize(usage.deleted_files.bytes))
                : texts.deletedFiles}
            </p>
          </section>
          <section class="panel" aria-labelledby="records-title">
            <h2 id="records-title">{texts.records}</h2>
            <Bar name={texts.auditEntries} {...usage.records.audit_entries} show={count} />
            <Bar name={texts.webhookEvents} {...usage.records.webhook_events} show={count} />
            <Bar name={texts.webhookDeliveries} {...usage.records.webhook_deliveries} show={count} />
            <Bar name={texts.idempotencyKeys} {...usage.records.idempotency_keys} show={count} />
            <Bar name={texts.keptResponses} {...usage.records.idempotency_bytes} show={byteSize} />
            <p class="hint">{texts.recordsHint}</p>
          </section>
          <section class="panel" aria-labelledby="days-title">
            <h2 id="days-title">{texts.lastDays(usage.days.length)}</h2>
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
  return (
    <div class="progress">
      <div class="usage-text">
        <span dir="auto">{name}</span>
        <span class="hint">{amountText(used, limit, show)}</span>
      </div>
      {limit !== null && (
        <div class={`progress-track ${share >= NEARLY_FULL ? "full" : ""}`} aria-hidden="true">
          <div class="progress-fill" style={{ transform: `scaleX(${share})` }} />
        </div>
      )}
    </div>
  );
}

function amountText(used: number, limit: number | null, show: (value: number) => string): string {
  const texts = t.company.usage;
  if (limit === null) return texts.noLimit(show(used));
  return used < limit ? texts.ofLimit(show(used), show(limit)) : texts.quotaReached(show(used), show(limit));
}

const COLUMN = 20;
const GAP = 4;
const HEIGHT = 120;

function Days({ days }: Pick<CompanyUsage, "days">) {
  const texts = t.company.usage;
  const most = Math.max(1, ...days.map(({ compilations }) => compilations));
  const total = days.reduce((sum, { compilations }) => sum + compilations, 0);
  const [first, last] = [days[0], days[days.length - 1]];
  return (
    <figure class="usage-days">
      <svg viewBox={`0 0 ${COLUMN * days.length} ${HEIGHT}`} role="img" aria-labelledby="usage-days-words">
        <title id="usage-days-words">
          {texts.daysSummary(total, date(first.day), date(last.day), count(most))}
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
        <span>{total === 0 ? texts.noneYet : texts.total(count(total), count(most))}</span>
        <span>{date(last.day)}</span>
      </figcaption>
    </figure>
  );
}

const DATE = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });
const CLOCK = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });

function date(day: string): string {
  return DATE.format(new Date(day));
}

function clock(iso: string): string {
  return CLOCK.format(new Date(iso));
}
