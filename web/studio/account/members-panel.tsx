import { useState } from "preact/hooks";
import type { CreatedInvitation, Role } from "../../../client/client.ts";
import { t } from "../language.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { Loading } from "../ui/loading.tsx";
import { hidden, rich } from "../ui/rich.tsx";
import { SecretPanel } from "../ui/secret-panel.tsx";
import { toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { Field, Form } from "./form.tsx";
import { useList } from "./list.ts";
import { loadMe, may, me } from "./me.ts";

/** The removal of a member or an invitation, to be confirmed. */
interface Removal {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly work: () => Promise<void>;
}

const ROLES: readonly Role[] = ["owner", "admin", "editor", "viewer"];

export function MembersPanel() {
  const texts = t.account.members;
  const roleNames = t.account.roles;
  const [members, refresh, membersError] = useList(api.listMembers);
  const [invitations, refreshInvitations, invitationsError] = useList(() =>
    may("members:manage") ? api.listInvitations() : Promise.resolve([]),
  );
  const [removal, setRemoval] = useState<Removal | null>(null);
  const [invited, setInvited] = useState<CreatedInvitation | null>(null);
  const change = (work: Promise<void>) => work.then(loadMe).catch(toastError).then(refresh);
  const manages = may("members:manage");
  const isLoading = !members || !invitations;
  const roles = me.value!.company!.role === "owner" ? ROLES : ROLES.slice(1);
  return (
    <section class="panel" aria-labelledby="members-title">
      <h2 id="members-title">{texts.heading}</h2>
      {invited && (
        <SecretPanel
          key={invited.id}
          name={texts.link}
          label={texts.invitationSent(invited.email)}
          secret={`${me.value!.public_url ?? location.origin}/invitation#${invited.token}`}
          onDone={() => setInvited(null)}
        />
      )}
      {isLoading && <Loading error={membersError || invitationsError} />}
      <ul class="rows">
        {!isLoading &&
          members.map(({ id, person_id, name, email, role }) => (
            <li key={id}>
              <span>
                <bdi>{name}</bdi> <small>{email}</small>
              </span>
              {manages && person_id !== me.value!.id && roles.includes(role) ? (
                <>
                  <select
                    aria-label={texts.roleOf(name)}
                    value={role}
                    onChange={({ currentTarget }) =>
                      void change(api.changeRole(id, currentTarget.value as Role))
                    }
                  >
                    {roles.map((each) => (
                      <option key={each} value={each}>
                        {roleNames[each]}
                      </option>
                    ))}
                  </select>
                  <button
                    type="button"
                    class="button small danger-quiet"
                    onClick={() =>
                      setRemoval({
                        title: texts.removeTitle(name),
                        text: texts.removeEffect,
                        action: texts.removeMember,
                        work: () => api.removeMember(id).then(refresh),
                      })
                    }
                  >
                    {rich(texts.remove, { hidden, name: () => name })}
                  </button>
                </>
              ) : (
                <span class="hint">{roleNames[role]}</span>
              )}
            </li>
          ))}
        {!isLoading &&
          invitations.map(({ id, email, role }) => (
            <li key={id}>
              <span>
                {email} <small>{texts.invitedAs(roleNames[role])}</small>
              </span>
              <button
                type="button"
                class="button small danger-quiet"
                onClick={() =>
                  setRemoval({
                    title: texts.withdrawTitle(email),
                    text: texts.withdrawEffect,
                    action: texts.withdrawInvitation,
                    work: async () => {
                      await api.cancelInvitation(id);
                      if (id === invited?.id) setInvited(null);
                      await refreshInvitations();
                    },
                  })
                }
              >
                {rich(texts.withdraw, { hidden, email: () => email })}
              </button>
            </li>
          ))}
      </ul>
      {removal && (
        <ConfirmDialog
          title={removal.title}
          action={removal.action}
          isDanger
          work={async () => {
            await removal.work();
            setRemoval(null);
          }}
          onClose={() => setRemoval(null)}
        >
          {removal.text}
        </ConfirmDialog>
      )}
      {manages && !isLoading && (
        <Form
          action={texts.invite}
          isRow
          onSubmit={async ({ email, role }) => {
            setInvited(await api.invite(email, role as Role));
            await refreshInvitations();
          }}
        >
          <Field label={t.account.email} name="email" type="email" autocomplete="off" />
          <label class="field">
            {texts.role}
            <select name="role">
              {[...roles].reverse().map((each) => (
                <option key={each} value={each}>
                  {roleNames[each]}
                </option>
              ))}
            </select>
          </label>
        </Form>
      )}
    </section>
  );
}
