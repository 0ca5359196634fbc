import { useState } from "preact/hooks";
import type { Passkey } from "../../../client/client.ts";
import { useAction } from "../ui/action.ts";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { dateTime } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { toast } from "../ui/toasts.tsx";
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
        Sign in without a password: with the fingerprint, face or PIN of your device, a password manager or a
        security key.
      </p>
      {!passkeys && <Loading error={error} />}
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
          action="Add passkey"
          isRow
          onSubmit={async ({ name, current_password }) => {
            await addPasskey(name, current_password);
            toast(`Passkey “${name}” added.`);
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
            toast(`Passkey “${removing.name}” removed.`);
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
      {/* Password managers read it. */}
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
  const { run, isRunning, error } = useAction();
  const remove = (event: SubmitEvent) => {
    event.preventDefault();
    const password = new FormData(event.currentTarget as HTMLFormElement).get("current_password");
    void run(async () => {
      await api.removePasskey(id, String(password));
      props.onRemoved();
    });
  };
  return (
    <Dialog title={`Remove “${name}”?`} error={error} onClose={props.onClose}>
      <p>
        You can no longer sign in with it. Current sessions stay signed in. Also remove it from your device or
        password manager.
      </p>
      <form onSubmit={remove}>
        <CurrentPassword />
        <DialogActions submit="Remove passkey" isDanger isRunning={isRunning} onClose={props.onClose} />
      </form>
    </Dialog>
  );
}
