import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, type Invitation, type Mailbox } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { dateTime } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { useTitle } from "../ui/title.ts";
import * as api from "./api.ts";
import { Field, Form, NewPassword } from "./form.tsx";
import { loadMe, me, signOut, switchCompany } from "./me.ts";
import { signInWithPasskey, whyNoPasskeys } from "./passkeys.ts";
import "./account.css";

/** Pages for people who are not signed in. The secret of a link follows its #, so that it is not logged. */

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

/** Opens the studio after an answer that set the session cookie. */
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
      <Entry title="Setup required">
        <p>Vivimark is not set up yet. Open the setup link shown in the terminal.</p>
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
      <a href="/forgot-password">Forgot your password?</a>
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
        <p>This installation already has an owner. Ask the owner for an invitation.</p>
        <a class="button primary" href="/">
          Sign in
        </a>
      </Entry>
    );
  }
  return (
    <Entry title="Set up Vivimark">
      <p>You will own the company and all photos that are already stored here.</p>
      <Form
        action="Set up Vivimark"
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
    <Entry title="Password reset">
      {sent ? (
        <p role="status">If this email has an account, a link to choose a new password is on its way.</p>
      ) : (
        <Form
          action="Send link"
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
    <Entry title="New password">
      <Form
        action="Save password"
        onSubmit={({ password }) => api.resetPassword(token, password).then(enter)}
      >
        <NewPassword />
      </Form>
    </Entry>
  );
}

export function InvitationPage() {
  const [token] = useState(secretOfLink);
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    api.getInvitation(token).then(setInvitation, (reason) => setError(messageOf(reason)));
  }, [token]);
  if (!invitation) {
    return <Entry title="Invitation">{error ? <p role="alert">{error}</p> : <Loading />}</Entry>;
  }
  const { email, company, role, inviter } = invitation;
  const join = async () => {
    await api.acceptInvitation(token);
    enter();
  };
  return (
    <Entry title={`Join ${company}`}>
      <p>
        {inviter} invited {email} to join {company} as {role}.
      </p>
      {me.value ? (
        me.value.email === email ? (
          <Form action="Join company" onSubmit={join}>
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
      ) : (
        <Join invitation={invitation} token={token} onSignedIn={join} />
      )}
    </Entry>
  );
}

/** Asks a person for a new account, or to sign in. Only they know which of the two the address needs. */
function Join(props: { invitation: Invitation; token: string; onSignedIn: () => Promise<void> }) {
  const { email, company, by_email } = props.invitation;
  const [signsIn, setSignsIn] = useState(!by_email);
  const [hasAccount, setHasAccount] = useState("");
  if (!signsIn) {
    return (
      <>
        <Form
          key="new"
          action="Create account and join"
          onSubmit={async ({ name, password }) => {
            try {
              await api.acceptWithNewAccount(props.token, { name, password });
              enter();
            } catch (reason) {
              if (!(reason instanceof ApiError) || reason.code !== "account_exists") throw reason;
              setHasAccount(reason.message);
              setSignsIn(true);
            }
          }}
        >
          <Field label="Your name" name="name" autocomplete="name" maxLength={100} />
          <NewPassword about={[email, company]} />
        </Form>
        <button type="button" class="button" onClick={() => setSignsIn(true)}>
          Sign in instead
        </button>
      </>
    );
  }
  return (
    <>
      {hasAccount && <p role="alert">{hasAccount}</p>}
      <Form
        key="existing"
        action="Sign in and join"
        onSubmit={async ({ password }) => {
          await api.signIn(email, password);
          await props.onSignedIn();
        }}
      >
        <Field
          label={`Password of ${email}`}
          name="password"
          type="password"
          autocomplete="current-password"
        />
      </Form>
      {by_email ? (
        !hasAccount && (
          <button type="button" class="button" onClick={() => setSignsIn(false)}>
            Create an account instead
          </button>
        )
      ) : (
        <p class="hint">If you have no account yet, open the link in the email that was sent to {email}.</p>
      )}
      <a href="/forgot-password">Forgot your password?</a>
    </>
  );
}

/** For a person whose session has no company. */
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
        <p>You are not a member of any company. Ask for an invitation, or create a company.</p>
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
      action="Create company"
      isRow
      onSubmit={async ({ name }) => {
        const { id } = await api.createCompany(name);
        await switchCompany(id);
      }}
    >
      <Field label="Company name" name="name" autocomplete="organization" maxLength={100} />
    </Form>
  );
}

/** The mails that a local Vivimark did not send: `npm start` prints the link to this page. */
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
          <h2 dir="auto">{subject}</h2>
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
