import { useState } from "preact/hooks";
import type { Passkey } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { Dialog } from "../ui/dialog.tsx";
import { dateTime } from "../ui/format.ts";
import { toast } from "../ui/toasts.tsx";
import { Waiting } from "../ui/waiting.tsx";
import * as api from "./api.ts";
import { Field, Form } from "./form.tsx";
import { useList } from "./list.ts";
import { me } from "./me.ts";
import { addPasskey, whyNoPasskeys } from "./passkeys.ts";
import { deviceOf } from "./sessions-panel.tsx";

export function PasskeysPanel() {
  const [passkeys, refresh, error] = useList(api.listPasskeys);
  const [removing, setRemoving] = useState<Passkey | null>(null);
  const why = whyNoPasskeys();
  return (
    <section class="panel" aria-labelledby="passkeys-title">
      <h2 id="passkeys-title">Passkeys</h2>
      <p class="hint">
        Sign in without a password: by this device's fingerprint, face or PIN, with a password manager, or
        with a security key.
      </p>
      {!passkeys && <Waiting error={error} />}
      <ul class="rows">
        {passkeys?.map((passkey) => (
          <li key={passkey.id}>
            <span>
              {passkey.name} <small>added {dateTime(passkey.created_at)}</small>
            </span>
            <button type="button" class="button small danger-quiet" onClick={() => setRemoving(passkey)}>
              Remove<span class="visually-hidden"> {passkey.name}</span>
            </button>
          </li>
        ))}
      </ul>
      {why === null ? (
        <Form
          action="Add a passkey"
          isRow
          onSubmit={async ({ name, current_password }) => {
            await addPasskey(name, current_password);
            toast(`The passkey “${name}” is added.`);
            await refresh();
          }}
        >
          <Field
            label="Name"
            name="name"
            autocomplete="off"
            maxLength={100}
            value={deviceOf(navigator.userAgent)}
          />
          <CurrentPassword />
        </Form>
      ) : (
        <p class="hint">{why}</p>
      )}
      {removing && (
        <RemoveDialog
          passkey={removing}
          onRemoved={() => {
            toast(`The passkey “${removing.name}” is removed.`);
            setRemoving(null);
            void refresh();
          }}
          onClose={() => setRemoving(null)}
        />
      )}
    </section>
  );
}

function CurrentPassword() {
  return (
    <>
      {/* Password managers look for it. */}
      <input type="hidden" name="username" autocomplete="username" value={me.value!.email} />
      <Field
        label="Current password"
        name="current_password"
        type="password"
        autocomplete="current-password"
      />
    </>
  );
}

function RemoveDialog(props: { passkey: Passkey; onRemoved: () => void; onClose: () => void }) {
  const { id, name } = props.passkey;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const remove = async (event: SubmitEvent) => {
    event.preventDefault();
    const password = new FormData(event.currentTarget as HTMLFormElement).get("current_password");
    setBusy(true);
    setError(null);
    try {
      await api.removePasskey(id, String(password));
      props.onRemoved();
    } catch (reason) {
      setError(messageOf(reason));
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Remove “${name}”?`} error={error} onClose={props.onClose}>
      <p>
        It signs you in no longer. Where you are signed in you stay so, and your device or password manager
        keeps it until you remove it there.
      </p>
      <form onSubmit={remove}>
        <CurrentPassword />
        <div class="dialog-actions">
          <button type="button" class="button" onClick={props.onClose}>
            Keep it
          </button>
          <button type="submit" class="button danger" disabled={busy}>
            Remove
          </button>
        </div>
      </form>
    </Dialog>
  );
}
