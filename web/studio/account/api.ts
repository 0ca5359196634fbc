import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";
import type {
  ApiKey,
  CreatedApiKey,
  CreatedInvitation,
  Invitation,
  Mailbox,
  Me,
  Member,
  Membership,
  NewAccount,
  NewApiKey,
  NewPasskey,
  Passkey,
  PasskeyAnswer,
  PendingInvitation,
  Role,
  Session,
  SetupRequest,
} from "../../../client/client.ts";
import { clientWith, vivimark } from "../api/client.ts";

/** Calls of the API about people: accounts, sessions, passkeys, members, invitations and API keys. */

export function getMe(): Promise<Me> {
  return vivimark.call("GET /api/me");
}

export async function isSetUpOpen(): Promise<boolean> {
  return (await vivimark.call("GET /api/setup")).open;
}

export async function setUp(body: SetupRequest): Promise<void> {
  await vivimark.call("POST /api/setup", { body });
}

/** @param token the token in the invitation's link */
export function getInvitation(token: string): Promise<Invitation> {
  return clientWith(token).call("GET /api/invitation");
}

export async function acceptWithNewAccount(token: string, body: NewAccount): Promise<void> {
  await clientWith(token).call("POST /api/invitation/account", { body });
}

export function changeName(name: string): Promise<void> {
  return vivimark.call("PATCH /api/me", { body: { name } });
}

export function changePassword(current_password: string, new_password: string): Promise<void> {
  return vivimark.call("PUT /api/me/password", { body: { current_password, new_password } });
}

export async function listPasskeys(): Promise<Passkey[]> {
  return (await vivimark.call("GET /api/me/passkeys")).items;
}

/** Returns the options from which the browser creates a passkey. */
export async function beginPasskey(
  current_password: string,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const options = await vivimark.call("POST /api/me/passkeys/options", { body: { current_password } });
  // The document describes only the part that people read.
  return options as PublicKeyCredentialCreationOptionsJSON;
}

export async function addPasskey(body: NewPasskey): Promise<void> {
  await vivimark.call("POST /api/me/passkeys", { body });
}

export function removePasskey(id: string, current_password: string): Promise<void> {
  return vivimark.call("DELETE /api/me/passkeys/{id}", { path: { id }, body: { current_password } });
}

export async function renameCompany(name: string): Promise<void> {
  await vivimark.call("PATCH /api/company", { body: { name } });
}

export function createCompany(name: string): Promise<Membership> {
  return vivimark.call("POST /api/me/companies", { body: { name } });
}

export async function listApiKeys(): Promise<ApiKey[]> {
  return (await vivimark.call("GET /api/api-keys")).items;
}

export function createApiKey(body: NewApiKey): Promise<CreatedApiKey> {
  return vivimark.call("POST /api/api-keys", { body });
}

export function revokeApiKey(id: string): Promise<void> {
  return vivimark.call("DELETE /api/api-keys/{id}", { path: { id } });
}

/** @param token the token in the link that `npm start` prints */
export function getMailbox(token: string): Promise<Mailbox> {
  return clientWith(token).call("GET /api/mailbox");
}

export async function signIn(email: string, password: string): Promise<void> {
  await vivimark.call("POST /api/auth/sign-in/email", { body: { email, password } });
}

/** Returns the challenge for a passkey to sign. */
export function beginPasskeySignIn(): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return vivimark.call("GET /api/auth/passkey/generate-authenticate-options");
}

/** @param response the signed challenge */
export async function signInWithPasskey(response: PasskeyAnswer["response"]): Promise<void> {
  await vivimark.call("POST /api/auth/passkey/verify-authentication", { body: { response } });
}

/** Extends the session. */
export async function extendSession(): Promise<void> {
  await vivimark.call("GET /api/auth/get-session");
}

export async function signOut(): Promise<void> {
  await vivimark.call("POST /api/auth/sign-out");
}

export async function requestPasswordReset(email: string): Promise<void> {
  await vivimark.call("POST /api/auth/request-password-reset", { body: { email } });
}

export async function resetPassword(token: string, newPassword: string): Promise<void> {
  await vivimark.call("POST /api/auth/reset-password", { body: { token, newPassword } });
}

export async function listSessions(): Promise<Session[]> {
  return (await vivimark.call("GET /api/me/sessions")).items;
}

export function revokeSession(id: string): Promise<void> {
  return vivimark.call("DELETE /api/me/sessions/{id}", { path: { id } });
}

export async function setActiveCompany(organizationId: string): Promise<void> {
  await vivimark.call("POST /api/auth/organization/set-active", { body: { organizationId } });
}

export async function acceptInvitation(token: string): Promise<void> {
  await vivimark.call("POST /api/auth/organization/accept-invitation", { body: { token } });
}

export async function listMembers(): Promise<Member[]> {
  return (await vivimark.call("GET /api/company/members")).items;
}

export async function changeRole(memberId: string, role: Role): Promise<void> {
  await vivimark.call("POST /api/auth/organization/update-member-role", { body: { memberId, role } });
}

export async function removeMember(memberIdOrEmail: string): Promise<void> {
  await vivimark.call("POST /api/auth/organization/remove-member", { body: { memberIdOrEmail } });
}

export async function listInvitations(): Promise<PendingInvitation[]> {
  return (await vivimark.call("GET /api/company/invitations")).items;
}

export function invite(email: string, role: Role): Promise<CreatedInvitation> {
  return vivimark.call("POST /api/auth/organization/invite-member", { body: { email, role } });
}

export async function cancelInvitation(invitationId: string): Promise<void> {
  await vivimark.call("POST /api/auth/organization/cancel-invitation", { body: { invitationId } });
}
