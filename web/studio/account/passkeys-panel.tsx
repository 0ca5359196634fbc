import { useState } from "preact/hooks";
import type { Passkey } from "../../../client/client.ts";
import { t } from "../language.ts";
import { useAction } from "../ui/action.ts";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { dateTime } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { hidden, rich } from "../ui/rich.tsx";
import { toast } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { deviceOf } from "./device.ts";
import { Field, Form } from "./form.tsx";
import { useList } from "./list.ts";
import { me } from "./me.ts";
import { addPasskey, whyNoPasskeys } from "./passkeys.ts";

export function PasskeysPanel() {
  const texts = t.account.passkeys;
  const [passkeys, refresh, error] = useList(api.listPasskeys);
  const [removing, setRemoving] = useState<Passkey | null>(null);
  const why = whyNoPasskeys();
  return (
    <section class="panel" aria-labelledby="passkeys-title">
      <h2 id="passkeys-title">{texts.heading}</h2>
      <p class="hint">{texts.about}</p>
      {!passkeys && <Loading error={error} />}
      <ul class="rows">
        {passkeys?.map((passkey) => (
          <li key={passkey.id}>
            <span>
              {passkey.name} <small>{texts.addedAt(dateTime(passkey.created_at))}</small>
            </span>
            <button type="button" class="button small danger-quiet" onClick={() => setRemoving(passkey)}>
              {rich(texts.remove, { hidden, name: () => passkey.name })}
            </button>
          </li>
        ))}
      </ul>
      {why === null ? (
        <Form
          action={texts.add}
          isRow
          onSubmit={async ({ name, current_password }) => {
            await addPasskey(name, current_password);
            toast(texts.added(name));
            await refresh();
          }}
        >
          <Field
            label={texts.name}
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
            toast(texts.removed(removing.name));
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
        label={t.account.currentPassword}
        name="current_password"
        type="password"
        autocomplete="current-password"
      />
    </>
  );
}

function RemoveDialog(props: { passkey: Passkey; onRemoved: () => void; onClose: () => void }) {
  const texts = t.account.passkeys;
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
    <Dialog title={texts.removeTitle(name)} error={error} onClose={props.onClose}>
      <p>{texts.removeEffect}</p>
      <form onSubmit={remove}>
        <CurrentPassword />
        <DialogActions submit={texts.removePasskey} isDanger isRunning={isRunning} onClose={props.onClose} />
      </form>
    </Dialog>
  );
}
