import { useEffect, useState } from "preact/hooks";
import type { Webhook, WebhookDelivery, WebhookDeliveryDetail } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { poll } from "../api/poll.ts";
import { t } from "../language.ts";
import { dateTime, duration } from "../ui/format.ts";
import { IconRetry } from "../ui/icons.tsx";
import { Loading } from "../ui/loading.tsx";
import { rich } from "../ui/rich.tsx";
import { toast, toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { eventText, outcomeText } from "./texts.ts";

const BADGES: Readonly<Record<WebhookDelivery["state"], string>> = {
  pending: "pending",
  delivered: "ready",
  failed: "failed",
};

type State = WebhookDelivery["state"] | undefined;

/** Returns whether the first attempt of a delivery is about to end. */
function isSending({ state, attempts, next_attempt_at: next }: WebhookDelivery): boolean {
  return state === "pending" && attempts === 0 && next !== null;
}

/** The deliveries of a webhook, newest first. Only the first page is refreshed. */
export function DeliveriesLog({ webhook, onChange }: { webhook: Webhook; onChange: () => void }) {
  const { id } = webhook;
  const [state, setState] = useState<State>(undefined);
  const [first, setFirst] = useState<readonly WebhookDelivery[] | null>(null);
  const [older, setOlder] = useState<readonly WebhookDelivery[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [loading, setLoading] = useState(false);
  const [changes, setChanges] = useState(0);

  useEffect(
    () =>
      poll(async (signal) => {
        try {
          const page = await api.listDeliveries(id, { state }, signal);
          setFirst(page.items);
          // The cursor belongs to the last page that was loaded.
          if (older.length === 0) setNext(page.next_cursor);
          setError(null);
          return page.items.some(isSending);
        } catch (reason) {
          if (!signal.aborted) setError(messageOf(reason));
          throw reason;
        }
      }),
    [id, state, older, changes],
  );

  const filterBy = (wanted: State) => {
    setState(wanted);
    setFirst(null);
    setOlder([]);
    setNext(null);
  };
  const more = async (cursor: string) => {
    setLoading(true);
    try {
      const page = await api.listDeliveries(id, { state, cursor });
      setOlder([...older, ...page.items]);
      setNext(page.next_cursor);
    } catch (reason) {
      toastError(reason);
    } finally {
      setLoading(false);
    }
  };
  const known = new Set(first?.map((delivery) => delivery.id));
  const all = [...(first ?? []), ...older.filter((delivery) => !known.has(delivery.id))];
  return (
    <section class="deliveries" aria-label={t.webhooks.deliveries.title}>
      <label class="field deliveries-filter">
        {t.webhooks.deliveries.filter}
        <select
          value={state ?? ""}
          onChange={({ currentTarget }) => filterBy((currentTarget.value || undefined) as State)}
        >
          <option value="">{t.webhooks.deliveries.all}</option>
          {Object.entries(t.webhooks.deliveries.states).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {error && (
        <p class="situation bad" role="alert">
          {error}
        </p>
      )}
      {!first && !error && <Loading />}
      {first && all.length === 0 && (
        <p class="hint">{state ? t.webhooks.deliveries.noMatch : t.webhooks.deliveries.none}</p>
      )}
      {all.length > 0 && (
        <ol class="deliveries-rows">
          {all.map((delivery) => (
            <Row
              key={delivery.id}
              webhook={webhook}
              delivery={delivery}
              onResent={() => {
                setChanges((before) => before + 1);
                onChange();
              }}
            />
          ))}
        </ol>
      )}
      {first && next !== null && (
        <button type="button" class="button small" disabled={loading} onClick={() => void more(next)}>
          {loading ? t.webhooks.deliveries.loading : t.webhooks.deliveries.loadMore}
        </button>
      )}
    </section>
  );
}

function Row(props: { webhook: Webhook; delivery: WebhookDelivery; onResent: () => void }) {
  const { webhook, delivery } = props;
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const words = eventText(delivery.event_type);
  const at = dateTime(delivery.created_at);
  const resend = async () => {
    setBusy(true);
    try {
      await api.resendDelivery(webhook.id, delivery.id);
      toast(t.webhooks.deliveries.resending);
      props.onResent();
    } catch (reason) {
      toastError(reason);
    } finally {
      setBusy(false);
    }
  };
  const isGone = delivery.event_type === "content.deleted";
  return (
    <li class="delivery">
      <div class="delivery-head">
        <span class={`badge ${BADGES[delivery.state]}`}>{t.webhooks.deliveries.states[delivery.state]}</span>
        <span class="delivery-what">
          {delivery.content_id && !isGone ? <a href={`/content/${delivery.content_id}`}>{words}</a> : words}
        </span>
        <time class="hint" dateTime={delivery.created_at}>
          {at}
        </time>
      </div>
      <p class="hint">{outcomeText(delivery, Date.now())}</p>
      <div class="webhook-actions">
        <button
          type="button"
          class="button small"
          aria-label={t.webhooks.deliveries.detailsOf(words, at)}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {t.webhooks.deliveries.details}
        </button>
        <button
          type="button"
          class="button small"
          aria-label={t.webhooks.deliveries.resendOne(words, at)}
          disabled={busy || !webhook.enabled}
          title={webhook.enabled ? undefined : t.webhooks.deliveries.isDisabled}
          onClick={resend}
        >
          <IconRetry />
          {t.webhooks.deliveries.resend}
        </button>
      </div>
      {open && <Detail webhookId={webhook.id} delivery={delivery} />}
    </li>
  );
}

/** The attempts and the payload of a delivery. Reloads when the delivery changes. */
function Detail({ webhookId, delivery }: { webhookId: string; delivery: WebhookDelivery }) {
  const [detail, setDetail] = useState<WebhookDeliveryDetail | null>(null);
  const [error, setError] = useState<string | null>(null);
  const { id, state, attempts } = delivery;
  useEffect(() => {
    const stop = new AbortController();
    api.getDelivery(webhookId, id, stop.signal).then(
      (found) => {
        setDetail(found);
        setError(null);
      },
      (reason) => !stop.signal.aborted && setError(messageOf(reason)),
    );
    return () => stop.abort();
  }, [webhookId, id, state, attempts]);
  if (error) return <p class="situation bad">{error}</p>;
  if (!detail) return <p class="hint">{t.webhooks.deliveries.loading}</p>;
  return (
    <div class="delivery-detail">
      {detail.log.length === 0 && <p class="hint">{t.webhooks.deliveries.noAttempts}</p>}
      <ol class="attempts">
        {detail.log.map(({ at, status, milliseconds, error: why, response }) => (
          <li key={at}>
            <p>
              {rich(t.webhooks.deliveries.attempt(duration(milliseconds), dateTime(at)), {
                status: () => <strong>{status ?? t.webhooks.deliveries.noStatus}</strong>,
              })}
            </p>
            {why && <p class="hint">{why}</p>}
            {response && <pre>{response}</pre>}
          </li>
        ))}
      </ol>
      <p class="hint">
        <code>{`webhook-id: ${detail.event_id}`}</code>
      </p>
      <pre>{JSON.stringify(detail.payload, null, 2)}</pre>
    </div>
  );
}
