import { useState } from "preact/hooks";
import type { CreatedInvitation, Role } from "../../../client/client.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { Loading } from "../ui/loading.tsx";
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
      <h2 id="members-title">Members</h2>
      {invited && (
        <SecretPanel
          key={invited.id}
          name="Link"
          label={`Invitation sent to ${invited.email}. This link is for a person who already has an account; only the link in the email can create one.`}
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
                    aria-label={`Role of ${name}`}
                    value={role}
                    onChange={({ currentTarget }) =>
                      void change(api.changeRole(id, currentTarget.value as Role))
                    }
                  >
                    {roles.map((each) => (
                      <option key={each}>{each}</option>
                    ))}
                  </select>
                  <button
                    type="button"
                    class="button small danger-quiet"
                    onClick={() =>
                      setRemoval({
                        title: `Remove ${name}?`,
                        text: "They lose access to the company at once. The photos they added stay.",
                        action: "Remove member",
                        work: () => api.removeMember(id).then(refresh),
                      })
                    }
                  >
                    Remove<span class="visually-hidden"> {name}</span>
                  </button>
                </>
              ) : (
                <span class="hint">{role}</span>
              )}
            </li>
          ))}
        {!isLoading &&
          invitations.map(({ id, email, role }) => (
            <li key={id}>
              <span>
                {email} <small>invited as {role}</small>
              </span>
              <button
                type="button"
                class="button small danger-quiet"
                onClick={() =>
                  setRemoval({
                    title: `Withdraw the invitation for ${email}?`,
                    text: "The links of the invitation stop working.",
                    action: "Withdraw invitation",
                    work: async () => {
                      await api.cancelInvitation(id);
                      if (id === invited?.id) setInvited(null);
                      await refreshInvitations();
                    },
                  })
                }
              >
                Withdraw<span class="visually-hidden"> the invitation for {email}</span>
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
          action="Invite member"
          isRow
          onSubmit={async ({ email, role }) => {
            setInvited(await api.invite(email, role as Role));
            await refreshInvitations();
          }}
        >
          <Field label="Email" name="email" type="email" autocomplete="off" />
          <label class="field">
            Role
            <select name="role">
              {[...roles].reverse().map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        </Form>
      )}
    </section>
  );
}
