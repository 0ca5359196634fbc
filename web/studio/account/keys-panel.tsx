import { useState } from "preact/hooks";
import type { ApiKey, CreatedApiKey } from "../../../client/client.ts";
import { t } from "../language.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { dateTime } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { hidden, rich } from "../ui/rich.tsx";
import { SecretPanel } from "../ui/secret-panel.tsx";
import * as api from "./api.ts";
import { Field, Form } from "./form.tsx";
import { useList } from "./list.ts";

const SCOPES: ApiKey["scopes"] = ["read", "submit", "manage"];
const DAY_MS = 86_400_000;

export function KeysPanel() {
  const texts = t.account.keys;
  const [keys, refresh, error] = useList(api.listApiKeys);
  const [created, setCreated] = useState<CreatedApiKey | null>(null);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  return (
    <section class="panel" aria-labelledby="keys-title">
      <h2 id="keys-title">{texts.heading}</h2>
      {created && (
        <SecretPanel
          key={created.id}
          name={texts.secret}
          label={texts.created(created.name)}
          secret={created.key}
          onDone={() => setCreated(null)}
        />
      )}
      {!keys && <Loading error={error} />}
      <ul class="rows">
        {keys?.map((key) => (
          <li key={key.id}>
            <span>
              {key.name}
              <small>
                <code>{key.prefix}…</code>; {key.scopes.join(", ")};{" "}
                {key.last_used_at ? texts.lastUsed(dateTime(key.last_used_at)) : texts.neverUsed};{" "}
                {key.expires_at ? texts.expires(dateTime(key.expires_at)) : texts.neverExpires}
              </small>
            </span>
            <button type="button" class="button small danger-quiet" onClick={() => setRevoking(key)}>
              {rich(texts.revoke, { hidden, name: () => key.name })}
            </button>
          </li>
        ))}
      </ul>
      {revoking && (
        <ConfirmDialog
          title={texts.revokeTitle(revoking.name)}
          action={texts.revokeKey}
          isDanger
          work={async () => {
            await api.revokeApiKey(revoking.id);
            if (revoking.id === created?.id) setCreated(null);
            await refresh();
            setRevoking(null);
          }}
          onClose={() => setRevoking(null)}
        >
          {texts.revokeEffect}
        </ConfirmDialog>
      )}
      {keys && (
        <Form
          action={texts.create}
          isRow
          onSubmit={async ({ name, days, ...ticked }) => {
            const scopes = SCOPES.filter((scope) => ticked[scope]);
            if (scopes.length === 0) throw new Error(texts.noScope);
            const expires_at = days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null;
            setCreated(await api.createApiKey({ name, scopes, expires_at }));
            await refresh();
          }}
        >
          <fieldset class="scopes">
            <legend>{texts.scopesHeading}</legend>
            {SCOPES.map((scope) => (
              <label key={scope}>
                <input type="checkbox" name={scope} defaultChecked={scope !== "manage"} />{" "}
                {texts.scopes[scope]}
              </label>
            ))}
          </fieldset>
          <Field label={texts.name} name="name" autocomplete="off" maxLength={100} />
          <label class="field">
            {texts.expiry}
            <select name="days">
              <option value="90">{texts.inDays(90)}</option>
              <option value="365">{texts.inYears(1)}</option>
              <option value="">{texts.never}</option>
            </select>
          </label>
        </Form>
      )}
    </section>
  );
}
