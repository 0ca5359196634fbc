/**
 * The permissions of people by their role in a company, and of programs by the scopes of their API key. `docs/accounts.md` shows the same table; a test compares the two.
 */

/** From most to least permissions. */
export const ROLES = ["owner", "admin", "editor", "viewer"] as const;
export type Role = (typeof ROLES)[number];

/** The scopes of an API key. No scope includes another. */
export const SCOPES = ["read", "submit", "manage"] as const;
export type Scope = (typeof SCOPES)[number];

interface Grant {
  /** What the permission allows, in words. */
  readonly what: string;
  readonly roles: readonly Role[];
  /** Empty for permissions of people only. */
  readonly scopes: readonly Scope[];
  /** Only in the company that set up the platform. */
  readonly isOfPlatform?: boolean;
}

const EVERYBODY = ROLES;
const EDITORS = ["owner", "admin", "editor"] as const;
const ADMINS = ["owner", "admin"] as const;

export const PERMISSIONS = {
  "content:read": {
    what: "See photos, projects and compilations",
    roles: EVERYBODY,
    scopes: ["read"],
  },
  "content:submit": {
    what: "Upload photos and videos, compile, deliver markers",
    roles: EDITORS,
    scopes: ["submit"],
  },
  "content:manage": {
    what: "Change and delete photos, remove videos",
    roles: EDITORS,
    scopes: ["manage"],
  },
  "projects:manage": {
    what: "Create, rename and archive projects, set their defaults",
    roles: EDITORS,
    scopes: ["manage"],
  },
  "storage:read": {
    what: "See storage connections and their usage",
    roles: ADMINS,
    scopes: ["manage"],
  },
  "storage:manage": {
    what: "Add, change, test, switch and delete storage connections",
    roles: ADMINS,
    scopes: ["manage"],
  },
  "storage:give-up": {
    what: "Give up the files of a lost storage",
    roles: ["owner"],
    scopes: [],
  },
  "webhooks:manage": {
    what: "See, add, change and delete webhooks, resend deliveries",
    roles: ADMINS,
    scopes: ["manage"],
  },
  "company:manage": {
    what: "Rename the company",
    roles: ADMINS,
    scopes: [],
  },
  "audit:read": {
    what: "See the activity log",
    roles: ADMINS,
    scopes: ["manage"],
  },
  "members:read": {
    what: "See members",
    roles: EVERYBODY,
    scopes: [],
  },
  "members:manage": {
    what: "Invite, remove and change members, see invitations",
    roles: ADMINS,
    scopes: [],
  },
  "keys:manage": {
    what: "See, create and revoke API keys",
    roles: ADMINS,
    scopes: [],
  },
  "platform:operate": {
    what: "See the state of the platform, retry dead letters",
    roles: ["owner"],
    scopes: [],
    isOfPlatform: true,
  },
} as const satisfies Record<string, Grant>;

export type Permission = keyof typeof PERMISSIONS;

export function roleMay(role: Role, permission: Permission): boolean {
  const { roles }: Grant = PERMISSIONS[permission];
  return roles.includes(role);
}

/** Returns whether only members of the company that set up the platform may have a permission. */
export function isOfPlatform(permission: Permission): boolean {
  const { isOfPlatform = false }: Grant = PERMISSIONS[permission];
  return isOfPlatform;
}

export function scopesMay(scopes: readonly Scope[], permission: Permission): boolean {
  const grant: Grant = PERMISSIONS[permission];
  return grant.scopes.some((scope) => scopes.includes(scope));
}
