import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { DeadLetter, Health, Platform } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { poll } from "../api/poll.ts";
import { count, dateTime, duration } from "../ui/format.ts";
import { IconRetry } from "../ui/icons.tsx";
import { Loading } from "../ui/loading.tsx";
import { useTitle } from "../ui/title.ts";
import { toast, toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import {
  alertText,
  alertWays,
  DEPENDENCIES,
  letterText,
  QUEUES,
  queueText,
  retriedText,
  shortTime,
  sweepText,
} from "./texts.ts";
import "../account/account.css";
import "./platform-page.css";

/** The state of the platform, for its owners. */
export function PlatformPage() {
  useTitle("Platform");
  const [loaded, setLoaded] = useState<{ platform: Platform; health: Health } | null>(null);
  const [error, setError] = useState<string | null>(null);
  // Increased after a change, to load the result at once.
  const [changes, setChanges] = useState(0);

  useEffect(
    () =>
      poll(async (signal) => {
        try {
          const [platform, health] = await Promise.all([api.getPlatform(signal), api.getHealth(signal)]);
          setLoaded({ platform, health });
          setError(null);
          return false;
        } catch (reason) {
          if (!signal.aborted) setError(messageOf(reason));
          throw reason;
        }
      }),
    [changes],
  );

  return (
    <div class="account-page platform-page">
      <div>
        <h1>Platform</h1>
        <p class="description">
          The state of this installation, summed over all companies. It is updated every few seconds.
        </p>
      </div>
      {error && (
        <p class="banner bad" role="alert">
          {error}
        </p>
      )}
      {!loaded && !error && <Loading />}
      {loaded && <State {...loaded} onChange={() => setChanges((before) => before + 1)} />}
    </div>
  );
}

function State({ platform, health, onChange }: { platform: Platform; health: Health; onChange: () => void }) {
  const { photos, compilations, queues, webhooks, sweep, alerts, versions } = platform;
  const now = Date.now();
  return (
    <>
      {alerts.firing.map((alert) => (
        <p key={alert.name} class="banner bad" role="status">
          {alertText(alert, now)}
        </p>
      ))}
      <Panel id="dependencies" title="Dependencies">
        <ul class="rows">
          {Object.entries(health.dependencies).map(([name, { ok, milliseconds, detail }]) => (
            <li key={name}>
              <span>
                {DEPENDENCIES[name] ?? name}
                {detail && <small>{detail}</small>}
              </span>
              <span class="hint">{shortTime(milliseconds)}</span>
              <span class={`badge ${ok ? "ready" : "failed"}`}>{ok ? "OK" : "Failing"}</span>
            </li>
          ))}
        </ul>
        {health.status !== "ok" && <p class="hint">The log has the reason for each failure.</p>}
      </Panel>
      <Panel id="compilations" title="Compilations">
        <dl class="platform-counts">
          <Count name="Waiting" value={photos.pending} />
          <Count name="In progress" value={photos.processing} />
          <Count name="Failed" value={photos.failed} />
          <Count name="Ready" value={photos.ready} />
        </dl>
        <dl class="platform-facts">
          <Fact name="Node compiler">
            {count(compilations.running)} of {count(compilations.places)} places in use
          </Fact>
          <Fact name="Longest wait">
            {compilations.due_since ? duration(now - Date.parse(compilations.due_since)) : "None is due"}
          </Fact>
        </dl>
      </Panel>
      <Panel id="queues" title="Queues">
        <dl class="platform-facts">
          {queues.map((queue) => (
            <Fact key={queue.name} name={QUEUES[queue.name] ?? queue.name}>
              {queueText(queue, now)}
            </Fact>
          ))}
          <Fact name="Unfinished webhook deliveries">{count(webhooks.pending)}</Fact>
        </dl>
      </Panel>
      <DeadLetters letters={platform.dead_letters} onChange={onChange} />
      <Panel id="sweep" title="Sweep and alerts">
        <dl class="platform-facts">
          <Fact name="Last sweep">{sweep ? sweepText(sweep, now) : "None yet"}</Fact>
          {sweep && sweep.failed_steps.length > 0 && (
            <>
              <Fact name="Failed steps">{sweep.failed_steps.join(", ")}</Fact>
              <Fact name="Last success">{dateTime(sweep.succeeded_at)}</Fact>
            </>
          )}
          <Fact name="Alerts">{alertWays(alerts)}</Fact>
        </dl>
      </Panel>
      <Panel id="versions" title="Versions">
        <dl class="platform-facts">
          <Fact name="Deployment">
            {versions.deployed_at
              ? `${versions.deployment}, ${dateTime(versions.deployed_at)}`
              : versions.deployment || "On this machine"}
          </Fact>
          <Fact name="Database migration">{versions.database ?? "Unknown"}</Fact>
          <Fact name="Compiler">{versions.compiler}</Fact>
        </dl>
      </Panel>
    </>
  );
}

function Panel({ id, title, children }: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section class="panel" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  );
}

function Count({ name, value }: { name: string; value: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{count(value)}</dd>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function DeadLetters({ letters, onChange }: { letters: Platform["dead_letters"]; onChange: () => void }) {
  /** The id that is being retried, or all. */
  const [busy, setBusy] = useState<string | null>(null);
  const retry = async (ids: readonly string[] | null) => {
    setBusy(ids?.[0] ?? "all");
    try {
      const sum = { retried: 0, discarded: 0 };
      let left: number;
      do {
        const result = await api.retryDeadLetters(ids);
        sum.retried += result.retried;
        sum.discarded += result.discarded;
        left = result.retried + result.discarded === 0 ? 0 : result.left;
      } while (ids === null && left > 0);
      toast(retriedText(sum));
    } catch (reason) {
      toastError(reason);
    } finally {
      setBusy(null);
      onChange();
    }
  };
  return (
    <Panel id="dead-letters" title="Dead letters">
      {letters.count === 0 ? (
        <p class="hint">None. Compilations and webhook deliveries that were given up appear here.</p>
      ) : (
        <>
          <div class="platform-letters-head">
            <p class="hint">
              {count(letters.count)} {letters.count === 1 ? "was" : "were"} given up. Correct the cause, then
              retry.
              {letters.count > letters.items.length && ` The oldest ${letters.items.length} are shown.`}
            </p>
            <button type="button" class="button" disabled={busy !== null} onClick={() => void retry(null)}>
              <IconRetry />
              {busy === "all" ? "Retrying all…" : "Retry all"}
            </button>
          </div>
          <ul class="rows">
            {letters.items.map((letter) => (
              <Letter
                key={letter.id}
                letter={letter}
                isBusy={busy !== null}
                onRetry={() => void retry([letter.id])}
              />
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}

function Letter(props: { letter: DeadLetter; isBusy: boolean; onRetry: () => void }) {
  const { letter } = props;
  return (
    <li>
      <span>
        {letterText(letter)}
        <small>{dateTime(letter.arrived_at)}</small>
      </span>
      <button type="button" class="button small" disabled={props.isBusy} onClick={props.onRetry}>
        Retry
        <span class="visually-hidden">
          {" "}
          {letterText(letter)}, {dateTime(letter.arrived_at)}
        </span>
      </button>
    </li>
  );
}
