import type { CreatedInvitation, Mailbox } from "../../worker/accounts/schemas.ts";
import { Browser } from "./browser.ts";
import { type Edge, json } from "./edge.ts";

/** Invites an address. Returns what the inviter sees, and the token of the link in the email. */
export async function invite(
  edge: Edge,
  by: Browser,
  invitation: { readonly email: string; readonly role: string; readonly organizationId?: string },
): Promise<CreatedInvitation & { readonly mailToken: string }> {
  const created = await by.json<CreatedInvitation>(
    "/api/auth/organization/invite-member",
    json("POST", invitation),
  );
  return { ...created, mailToken: linkIn(await lastMail(edge, invitation.email), "invitation") };
}

/** Accepts an invitation with a new account. */
export function acceptWithNewAccount(
  sender: Pick<Edge, "anonymously"> | Browser,
  token: string,
  account: { readonly name: string; readonly password: string },
): Promise<Response> {
  const init = json("POST", account, { Authorization: `Bearer ${token}` });
  const path = "/api/invitation/account";
  return sender instanceof Browser ? sender.fetch(path, init) : sender.anonymously(path, init);
}

export async function lastMail(edge: Edge, to: string): Promise<string> {
  const headers = { Authorization: "Bearer token-of-the-mailbox" };
  const response = await edge.anonymously("/api/mailbox", { headers });
  const { items } = (await response.json()) as Mailbox;
  return items.find((mail) => mail.to === to)!.body;
}

/** Returns what a link in a mail has after its `#`. */
export function linkIn(mail: string, page: string): string {
  return new RegExp(`http://edge\\.test/${page}#(\\S+)`).exec(mail)![1];
}
