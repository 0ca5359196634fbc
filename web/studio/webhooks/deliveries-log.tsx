import { useEffect, useState } from "preact/hooks";
import type { Webhook, WebhookDelivery, WebhookDeliveryDetail } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { poll } from "../api/poll.ts";
import { dateTime, duration } from "../ui/format.ts";
import { IconRetry } from "../ui/icons.tsx";
import { Loading } from "../ui/loading.tsx";
import { toast, toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { eventText, outcomeText, STATE_LABELS } from "./texts.ts";

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
    <section class="deliveries" aria-label="Deliveries">
      <label class="field deliveries-filter">
        Status
        <select
          value={state ?? ""}
          onChange={({ currentTarget }) => filterBy((currentTarget.value || undefined) as State)}
        >
          <option value="">All (last 30 days)</option>
          {Object.entries(STATE_LABELS).map(([value, words]) => (
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
        <p class="hint">
          {state ? "No deliveries match." : "No deliveries yet. Send a test event to try the webhook."}
        </p>
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
          {loading ? "Loading…" : "Load more"}
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
  const resend = async () => {
    setBusy(true);
    try {
      await api.resendDelivery(webhook.id, delivery.id);
      toast("Resending the delivery.");
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
        <span class={`badge ${BADGES[delivery.state]}`}>{STATE_LABELS[delivery.state]}</span>
        <span class="delivery-what">
          {delivery.content_id && !isGone ? <a href={`/content/${delivery.content_id}`}>{words}</a> : words}
        </span>
        <time class="hint" dateTime={delivery.created_at}>
          {dateTime(delivery.created_at)}
        </time>
      </div>
      <p class="hint">{outcomeText(delivery, Date.now())}</p>
      <div class="webhook-actions">
        <button type="button" class="button small" aria-expanded={open} onClick={() => setOpen(!open)}>
          Details
          <span class="visually-hidden">
            {" "}
            of {words}, {dateTime(delivery.created_at)}
          </span>
        </button>
        <button
          type="button"
          class="button small"
          disabled={busy || !webhook.enabled}
          title={webhook.enabled ? undefined : "The webhook is disabled."}
          onClick={resend}
        >
          <IconRetry />
          Resend delivery
          <span class="visually-hidden">
            {" "}
            {words}, {dateTime(delivery.created_at)}
          </span>
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
  if (!detail) return <p class="hint">Loading…</p>;
  return (
    <div class="delivery-detail">
      {detail.log.length === 0 && <p class="hint">No attempts yet.</p>}
      <ol class="attempts">
        {detail.log.map(({ at, status, milliseconds, error: why, response }) => (
          <li key={at}>
            <p>
              <strong>{status ?? "No response"}</strong> after {duration(milliseconds)}, {dateTime(at)}
            </p>
            {why && <p class="hint">{why}</p>}
            {response && <pre>{response}</pre>}
          </li>
        ))}
      </ol>
      <p class="hint">
        <code>webhook-id: {detail.event_id}</code>
      </p>
      <pre>{JSON.stringify(detail.payload, null, 2)}</pre>
    </div>
  );
}
