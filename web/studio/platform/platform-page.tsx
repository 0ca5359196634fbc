import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { DeadLetter, Health, Platform } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { poll } from "../api/poll.ts";
import { t } from "../language.ts";
import { count, dateTime, duration } from "../ui/format.ts";
import { IconRetry } from "../ui/icons.tsx";
import { Loading } from "../ui/loading.tsx";
import { hidden, rich } from "../ui/rich.tsx";
import { useTitle } from "../ui/title.ts";
import { toast, toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import {
  alertText,
  alertWays,
  dependencyName,
  letterText,
  queueName,
  queueText,
  retriedText,
  shortTime,
  sweepText,
} from "./texts.ts";
import "../account/account.css";
import "./platform-page.css";

/** The state of the platform, for its owners. */
export function PlatformPage() {
  useTitle(t.frame.pages.platform);
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
        <h1>{t.frame.pages.platform}</h1>
        <p class="description">{t.platform.description}</p>
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
  const texts = t.platform;
  const now = Date.now();
  return (
    <>
      {alerts.firing.map((alert) => (
        <p key={alert.name} class="banner bad" role="status">
          {alertText(alert, now)}
        </p>
      ))}
      <Panel id="dependencies" title={texts.dependenciesHeading}>
        <ul class="rows">
          {Object.entries(health.dependencies).map(([name, { ok, milliseconds, detail }]) => (
            <li key={name}>
              <span>
                {dependencyName(name)}
                {detail && <small>{detail}</small>}
              </span>
              <span class="hint">{shortTime(milliseconds)}</span>
              <span class={`badge ${ok ? "ready" : "failed"}`}>{ok ? texts.ok : texts.failing}</span>
            </li>
          ))}
        </ul>
        {health.status !== "ok" && <p class="hint">{texts.seeLog}</p>}
      </Panel>
      <Panel id="compilations" title={texts.compilations}>
        <dl class="platform-counts">
          <Count name={texts.waiting} value={photos.pending} />
          <Count name={texts.inProgress} value={photos.processing} />
          <Count name={texts.failed} value={photos.failed} />
          <Count name={texts.ready} value={photos.ready} />
        </dl>
        <dl class="platform-facts">
          <Fact name={texts.dependencies.compiler}>
            {texts.placesInUse(count(compilations.running), compilations.places)}
          </Fact>
          <Fact name={texts.longestWait}>
            {compilations.due_since ? duration(now - Date.parse(compilations.due_since)) : texts.noneDue}
          </Fact>
        </dl>
      </Panel>
      <Panel id="queues" title={texts.dependencies.queue}>
        <dl class="platform-facts">
          {queues.map((queue) => (
            <Fact key={queue.name} name={queueName(queue.name)}>
              {queueText(queue, now)}
            </Fact>
          ))}
          <Fact name={texts.unfinishedDeliveries}>{count(webhooks.pending)}</Fact>
        </dl>
      </Panel>
      <DeadLetters letters={platform.dead_letters} onChange={onChange} />
      <Panel id="sweep" title={texts.sweepAndAlerts}>
        <dl class="platform-facts">
          <Fact name={texts.lastSweep}>{sweep ? sweepText(sweep, now) : texts.noneYet}</Fact>
          {sweep && sweep.failed_steps.length > 0 && (
            <>
              <Fact name={texts.failedSteps}>{sweep.failed_steps.join(", ")}</Fact>
              <Fact name={texts.lastSuccess}>{dateTime(sweep.succeeded_at)}</Fact>
            </>
          )}
          <Fact name={texts.alertsHeading}>{alertWays(alerts)}</Fact>
        </dl>
      </Panel>
      <Panel id="versions" title={texts.versions}>
        <dl class="platform-facts">
          <Fact name={texts.deployment}>
            {versions.deployed_at
              ? `${versions.deployment}, ${dateTime(versions.deployed_at)}`
              : versions.deployment || texts.onThisMachine}
          </Fact>
          <Fact name={texts.databaseMigration}>{versions.database ?? texts.unknown}</Fact>
          <Fact name={texts.compilerVersion}>{versions.compiler}</Fact>
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
  const texts = t.platform.deadLetters;
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
    <Panel id="dead-letters" title={texts.heading}>
      {letters.count === 0 ? (
        <p class="hint">{texts.none}</p>
      ) : (
        <>
          <div class="platform-letters-head">
            <p class="hint">
              {texts.givenUp(letters.count)}
              {letters.count > letters.items.length && ` ${texts.oldestShown(letters.items.length)}`}
            </p>
            <button type="button" class="button" disabled={busy !== null} onClick={() => void retry(null)}>
              <IconRetry />
              {busy === "all" ? texts.retryingAll : texts.retryAll}
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
        {rich(t.platform.deadLetters.retry, {
          hidden,
          letter: () => letterText(letter),
          time: () => dateTime(letter.arrived_at),
        })}
      </button>
    </li>
  );
}
