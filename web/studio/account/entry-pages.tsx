import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Invitation, Mailbox } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { dateTime } from "../ui/format.ts";
import { useTitle } from "../ui/title.ts";
import * as api from "./api.ts";
import { Field, Form, NewPassword } from "./form.tsx";
import { loadMe, me, signOut, switchCompany } from "./me.ts";
import { signInWithPasskey, whyNoPasskeys } from "./passkeys.ts";
import "./account.css";

/** The pages before somebody is signed in. The secret of a link lies behind its #, which no server's log sees. */

const secretOfLink = () => location.hash.slice(1);

function Entry({ title, children }: { title: string; children: ComponentChildren }) {
  useTitle(title);
  return (
    <section class="entry panel">
      <h1>{title}</h1>
      {children}
    </section>
  );
}

/** Signed in by an answer that set the cookie: into the studio, with nothing of the page before. */
function enter(): void {
  location.assign("/");
}

export function SignInPage() {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    api.isSetUpOpen().then(setOpen, () => {});
  }, []);
  if (open) {
    return (
      <Entry title="Almost there">
        <p>Nobody has set this Vivimark up yet. Open the set-up link that the terminal shows.</p>
      </Entry>
    );
  }
  return (
    <Entry title="Sign in">
      <Form
        action="Sign in"
        onSubmit={async ({ email, password }) => {
          await api.signIn(email, password);
          await loadMe();
        }}
      >
        <Field label="Email" name="email" type="email" autocomplete="username" />
        <Field label="Password" name="password" type="password" autocomplete="current-password" />
      </Form>
      {"PublicKeyCredential" in window && <PasskeySignIn />}
      <a href="/forgot-password">Forgot the password?</a>
    </Entry>
  );
}

function PasskeySignIn() {
  const why = whyNoPasskeys();
  if (why !== null) return <p class="hint">{why}</p>;
  return (
    <Form
      action="Sign in with a passkey"
      isSecondary
      onSubmit={async () => {
        await signInWithPasskey();
        await loadMe();
      }}
    >
      {null}
    </Form>
  );
}

export function SetUpPage() {
  const [token] = useState(secretOfLink);
  const [open, setOpen] = useState<boolean | null>(null);
  useEffect(() => {
    api.isSetUpOpen().then(setOpen, () => setOpen(true));
  }, []);
  if (open === false) {
    return (
      <Entry title="Already set up">
        <p>This Vivimark has an owner. Whoever else wants in asks for an invitation.</p>
        <a class="button primary" href="/">
          Sign in
        </a>
      </Entry>
    );
  }
  return (
    <Entry title="Set up Vivimark">
      <p>You become the owner: of your company, and of everything that is stored here already.</p>
      <Form
        action="Set up"
        onSubmit={async ({ name, email, password, company_name }) => {
          await api.setUp({ token, name, email, password, company_name });
          enter();
        }}
      >
        <Field label="Your name" name="name" autocomplete="name" maxLength={100} />
        <Field label="Email" name="email" type="email" autocomplete="username" />
        <NewPassword />
        <Field label="Company" name="company_name" autocomplete="organization" maxLength={100} />
      </Form>
    </Entry>
  );
}

export function ForgotPasswordPage() {
  const [sent, setSent] = useState(false);
  return (
    <Entry title="Forgot the password?">
      {sent ? (
        <p role="status">
          If there is an account with this email, a link to choose a new password is on its way.
        </p>
      ) : (
        <Form
          action="Send a link"
          onSubmit={({ email }) => api.requestPasswordReset(email).then(() => setSent(true))}
        >
          <Field label="Email" name="email" type="email" autocomplete="username" />
        </Form>
      )}
      <a href="/">Back to sign in</a>
    </Entry>
  );
}

export function ResetPasswordPage() {
  const [token] = useState(secretOfLink);
  return (
    <Entry title="Choose a new password">
      <Form action="Save" onSubmit={({ password }) => api.resetPassword(token, password).then(enter)}>
        <NewPassword />
      </Form>
    </Entry>
  );
}

export function InvitationPage() {
  const [id] = useState(secretOfLink);
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    api.getInvitation(id).then(setInvitation, (reason) => setError(messageOf(reason)));
  }, [id]);
  if (!invitation) {
    return (
      <Entry title="Invitation">
        {error ? <p role="alert">{error}</p> : <span class="spinner large" role="img" aria-label="Loading" />}
      </Entry>
    );
  }
  const { email, company, role, inviter } = invitation;
  const join = async () => {
    await api.acceptInvitation(id);
    enter();
  };
  return (
    <Entry title={`Join ${company}`}>
      <p>
        {inviter} invites {email} to {company}, as {role}.
      </p>
      {me.value ? (
        me.value.email === email ? (
          <Form action="Join" onSubmit={join}>
            {null}
          </Form>
        ) : (
          <>
            <p>You are signed in as {me.value.email}.</p>
            <button type="button" class="button" onClick={() => void signOut()}>
              Sign out
            </button>
          </>
        )
      ) : invitation.has_account ? (
        <Form
          action="Sign in and join"
          onSubmit={async ({ password }) => {
            await api.signIn(email, password);
            await join();
          }}
        >
          <Field label="Password" name="password" type="password" autocomplete="current-password" />
        </Form>
      ) : (
        <Form
          action="Join"
          onSubmit={(form) =>
            api.acceptWithNewAccount(id, { name: form.name, password: form.password }).then(enter)
          }
        >
          <Field label="Your name" name="name" autocomplete="name" maxLength={100} />
          <NewPassword />
        </Form>
      )}
    </Entry>
  );
}

/** Signed in, but in none of their companies. */
export function ChooseCompanyPage() {
  const companies = me.value?.companies ?? [];
  return (
    <Entry title="Choose a company">
      {companies.map(({ id, name }) => (
        <button key={id} type="button" class="button" onClick={() => void switchCompany(id)}>
          {name}
        </button>
      ))}
      {companies.length === 0 && (
        <p>You belong to no company. Ask for an invitation, or start one of your own.</p>
      )}
      <NewCompany />
      <button type="button" class="button" onClick={() => void signOut()}>
        Sign out
      </button>
    </Entry>
  );
}

export function NewCompany() {
  return (
    <Form
      action="Start a company"
      isRow
      onSubmit={async ({ name }) => {
        const { id } = await api.createCompany(name);
        await switchCompany(id);
      }}
    >
      <Field label="A new company" name="name" autocomplete="organization" maxLength={100} />
    </Form>
  );
}

/** Mail that went nowhere else: `npm start` prints the link. */
export function MailboxPage() {
  const [token] = useState(secretOfLink);
  const [mailbox, setMailbox] = useState<Mailbox | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    api.getMailbox(token).then(setMailbox, (reason) => setError(messageOf(reason)));
  }, [token]);
  return (
    <Entry title="Development mailbox">
      {error && <p role="alert">{error}</p>}
      {mailbox?.items.length === 0 && <p>No mail yet.</p>}
      {mailbox?.items.map(({ id, to, subject, body, created_at }) => (
        <article key={id} class="mail">
          <h2>{subject}</h2>
          <p class="hint">
            To {to}, {dateTime(created_at)}
          </p>
          <p class="mail-body">{linked(body)}</p>
        </article>
      ))}
    </Entry>
  );
}

function linked(body: string): ComponentChildren {
  return body
    .split(/(https?:\/\/\S+)/)
    .map((part) => (/^https?:/.test(part) ? <a href={part}>{part}</a> : part));
}
