import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";
import type {
  ApiKey,
  CreatedApiKey,
  Invitation,
  Mailbox,
  Me,
  Member,
  Membership,
  NewPasskey,
  Passkey,
  PendingInvitation,
  Session,
} from "../../../worker/accounts/schemas.ts";
import { accepted, answer, client as api, reach } from "../api/client.ts";

/** What people do with accounts: our own routes, typed, and better-auth's under /api/auth. */

export function getMe(): Promise<Me> {
  return answer(api.me.$get());
}

export async function isSetUpOpen(): Promise<boolean> {
  return (await answer(api.setup.$get())).open;
}

export async function setUp(form: {
  token: string;
  name: string;
  email: string;
  password: string;
  company_name: string;
}): Promise<void> {
  await accepted(api.setup.$post({ json: form }));
}

export function getInvitation(id: string): Promise<Invitation> {
  return answer(api.invitations[":id"].$get({ param: { id } }));
}

export async function acceptWithNewAccount(id: string, form: { name: string; password: string }) {
  await accepted(api.invitations[":id"].account.$post({ param: { id }, json: form }));
}

export async function changeName(name: string): Promise<void> {
  await accepted(api.me.$patch({ json: { name } }));
}

export async function changePassword(current: string, wanted: string): Promise<void> {
  const json = { current_password: current, new_password: wanted };
  await accepted(api.me.password.$put({ json }));
}

export async function listPasskeys(): Promise<Passkey[]> {
  return (await answer(api.me.passkeys.$get())).items;
}

/** What the browser is to make a passkey of. */
export async function beginPasskey(password: string): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const json = { current_password: password };
  return (await accepted(api.me.passkeys.options.$post({ json }))).json() as Promise<never>;
}

export async function addPasskey(made: NewPasskey): Promise<void> {
  await accepted(api.me.passkeys.$post({ json: made }));
}

export async function removePasskey(id: string, password: string): Promise<void> {
  const json = { current_password: password };
  await accepted(api.me.passkeys[":id"].$delete({ param: { id }, json }));
}

export async function renameCompany(name: string): Promise<void> {
  await accepted(api.company.$patch({ json: { name } }));
}

export function createCompany(name: string): Promise<Membership> {
  return answer(api.me.companies.$post({ json: { name } }));
}

export async function listApiKeys(): Promise<ApiKey[]> {
  return (await answer(api["api-keys"].$get({ query: {} }))).items;
}

export function createApiKey(form: {
  name: string;
  scopes: ApiKey["scopes"];
  expires_at: string | null;
}): Promise<CreatedApiKey> {
  return answer(api["api-keys"].$post({ json: form }));
}

export async function revokeApiKey(id: string): Promise<void> {
  await accepted(api["api-keys"][":id"].$delete({ param: { id } }));
}

export function getMailbox(token: string): Promise<Mailbox> {
  const headers = { Authorization: `Bearer ${token}` };
  return answer(api.mailbox.$get(undefined, { headers }));
}

export async function signIn(email: string, password: string): Promise<void> {
  await post("sign-in/email", { email, password });
}

/** What a passkey is to sign. */
export async function beginPasskeySignIn(): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return (await accepted(reach("/api/auth/passkey/generate-authenticate-options"))).json();
}

/** @param response what it signed */
export async function signInWithPasskey(response: object): Promise<void> {
  await post("passkey/verify-authentication", { response });
}

/** Lets a session that is used last on. */
export async function prolongSession(): Promise<void> {
  await finished(reach("/api/auth/get-session"));
}

export async function signOut(): Promise<void> {
  await post("sign-out", {});
}

export async function requestPasswordReset(email: string): Promise<void> {
  await post("request-password-reset", { email });
}

export async function resetPassword(token: string, newPassword: string): Promise<void> {
  await post("reset-password", { token, newPassword });
}

export async function listSessions(): Promise<Session[]> {
  return (await answer(api.me.sessions.$get())).items;
}

export async function revokeSession(id: string): Promise<void> {
  await accepted(api.me.sessions[":id"].$delete({ param: { id } }));
}

export async function setActiveCompany(organizationId: string): Promise<void> {
  await post("organization/set-active", { organizationId });
}

export async function acceptInvitation(invitationId: string): Promise<void> {
  await post("organization/accept-invitation", { invitationId });
}

export async function listMembers(): Promise<Member[]> {
  return (await answer(api.company.members.$get())).items;
}

export async function changeRole(memberId: string, role: string): Promise<void> {
  await post("organization/update-member-role", { memberId, role });
}

export async function removeMember(memberIdOrEmail: string): Promise<void> {
  await post("organization/remove-member", { memberIdOrEmail });
}

export async function listInvitations(): Promise<PendingInvitation[]> {
  return (await answer(api.company.invitations.$get())).items;
}

export async function invite(email: string, role: string): Promise<void> {
  await post("organization/invite-member", { email, role });
}

export async function cancelInvitation(invitationId: string): Promise<void> {
  await post("organization/cancel-invitation", { invitationId });
}

function post(path: string, body: object): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  return finished(reach(`/api/auth/${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

/** Reads an answer to its end though nobody wants it: until then its connection is taken. */
async function finished(request: Promise<Response>): Promise<void> {
  await (await accepted(request)).arrayBuffer();
}
