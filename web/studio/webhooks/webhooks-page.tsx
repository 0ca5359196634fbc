import { useEffect, useState } from "preact/hooks";
import type { WebhookList } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { poll } from "../api/poll.ts";
import { IconPlus } from "../storage/icons.tsx";
import { Loading } from "../ui/loading.tsx";
import { SecretPanel } from "../ui/secret-panel.tsx";
import { useTitle } from "../ui/title.ts";
import { toast } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { heldBackText } from "./texts.ts";
import { WebhookCard } from "./webhook-card.tsx";
import { WebhookDialog } from "./webhook-dialog.tsx";
import "./webhooks-page.css";

/** The company's webhooks. */
export function WebhooksPage() {
  useTitle("Webhooks");
  const [list, setList] = useState<WebhookList | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  /** A new secret, which is shown once. */
  const [shown, setShown] = useState<{ readonly id: string; readonly secret: string } | null>(null);
  // Increased after a change, to load the result at once.
  const [changes, setChanges] = useState(0);
  const refresh = () => setChanges((before) => before + 1);

  useEffect(
    () =>
      poll(async (signal) => {
        try {
          setList(await api.listWebhooks(signal));
          setError(null);
          return false;
        } catch (reason) {
          if (!signal.aborted) setError(messageOf(reason));
          throw reason;
        }
      }),
    [changes],
  );

  const webhooks = list?.items;
  const heldBack = list && heldBackText(list);
  return (
    <div class="webhooks-page">
      <div class="page-intro">
        <div>
          <h1>Webhooks</h1>
          <p class="description">
            Signed webhooks notify your servers about events. Requests follow{" "}
            <a href="https://www.standardwebhooks.com">Standard Webhooks</a>. The{" "}
            <a href="/reference#Webhooks">API reference</a> describes their content.
          </p>
        </div>
        <button type="button" class="button primary" onClick={() => setAdding(true)}>
          <IconPlus />
          Add webhook
        </button>
      </div>
      {error && (
        <p class="banner bad" role="alert">
          {error}
        </p>
      )}
      {heldBack && <p class="banner">{heldBack}</p>}
      {!webhooks && !error && <Loading />}
      {webhooks?.length === 0 && (
        <div class="panel webhooks-none">
          <h2>No webhooks yet</h2>
          <p class="hint">
            Add the URL of your server. Vivimark notifies it when a marker is ready or failed, when a video is
            attached, and when a photo is deleted.
          </p>
        </div>
      )}
      {webhooks?.map((webhook) => (
        <WebhookCard
          key={webhook.id}
          webhook={webhook}
          onChange={refresh}
          onSecret={(secret) => {
            setShown({ id: webhook.id, secret });
            refresh();
          }}
        >
          {shown?.id === webhook.id && (
            <SecretPanel
              key={shown.secret}
              name="Secret"
              label="Signing secret."
              secret={shown.secret}
              onDone={() => setShown(null)}
            />
          )}
        </WebhookCard>
      ))}
      {adding && (
        <WebhookDialog
          saved={null}
          onSaved={({ id }, secret) => {
            setAdding(false);
            setShown({ id, secret });
            toast("Webhook added. Copy its secret, then send a test event.");
            refresh();
          }}
          onClose={() => setAdding(false)}
        />
      )}
    </div>
  );
}
