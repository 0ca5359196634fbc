/** The actions of the audit log, as `<subject>.<verb>`, with the words that people read. */
export const ACTIONS = {
  "content.created": "Photo added",
  "content.changed": "Photo changed",
  "content.replaced": "Photo replaced by another one",
  "content.deleted": "Photo deleted",
  "marker.recompiled": "Marker recompiled",
  "video.attached": "Video attached",
  "video.removed": "Video removed",
  "project.created": "Project created",
  "project.changed": "Project changed",
  "company.created": "Company created",
  "company.renamed": "Company renamed",
  "storage.switched": "Storage for new files changed",
  "connection.created": "Storage connection added",
  "connection.changed": "Storage connection changed",
  "connection.deleted": "Storage connection deleted",
  "connection.uploads_allowed": "Browser uploads to a storage connection allowed",
  "connection.files_deleted": "Deleted files of a storage connection deleted at once",
  "connection.given_up": "Files of a storage connection given up",
  "migration.started": "Storage migration started",
  "migration.paused": "Storage migration paused",
  "migration.resumed": "Storage migration resumed",
  "migration.cancelled": "Storage migration canceled",
  "webhook.created": "Webhook added",
  "webhook.changed": "Webhook changed",
  "webhook.switched_off": "Webhook disabled",
  "webhook.secret_rotated": "Webhook secret rotated",
  "webhook.sent_again": "Webhook delivery resent",
  "webhook.deleted": "Webhook deleted",
  "key.created": "API key created",
  "key.revoked": "API key revoked",
  "member.invited": "Member invited",
  "invitation.withdrawn": "Invitation withdrawn",
  "member.joined": "Member joined",
  "member.role_changed": "Member's role changed",
  "member.removed": "Member removed",
  "member.left": "Member left",
  "person.signed_in": "Signed in",
  "person.password_changed": "Password changed",
  "person.password_reset": "Password reset",
  "person.passkey_added": "Passkey added",
  "person.passkey_removed": "Passkey removed",
  "platform.retried": "Dead letters retried",
} as const;

export type Action = keyof typeof ACTIONS;

export type Subject = Action extends `${infer Name}.${string}` ? Name : never;

/** The subjects of all actions, such as `content`. */
export const SUBJECTS = [...new Set(Object.keys(ACTIONS).map((action) => action.split(".")[0]))] as [
  Subject,
  ...Subject[],
];
