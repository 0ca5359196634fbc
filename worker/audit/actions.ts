/** What is noted, by the object and what was done to it, and how people call it. */
export const ACTIONS = {
  "content.created": "Photo added",
  "content.changed": "Photo changed",
  "content.deleted": "Photo deleted",
  "marker.recompiled": "Marker compiled again",
  "video.attached": "Video attached",
  "video.removed": "Video removed",
  "project.created": "Project created",
  "project.changed": "Project changed",
  "company.created": "Company created",
  "company.renamed": "Company renamed",
  "storage.switched": "Storage switched",
  "connection.created": "Storage added",
  "connection.changed": "Storage changed",
  "connection.deleted": "Storage deleted",
  "migration.started": "Moving files started",
  "migration.paused": "Moving files paused",
  "migration.resumed": "Moving files resumed",
  "migration.cancelled": "Moving files cancelled",
  "webhook.created": "Webhook added",
  "webhook.changed": "Webhook changed",
  "webhook.switched_off": "Webhook switched off",
  "webhook.secret_rotated": "Webhook's secret changed",
  "webhook.sent_again": "Webhook sent again",
  "webhook.deleted": "Webhook deleted",
  "key.created": "API key made",
  "key.revoked": "API key revoked",
  "member.invited": "Member invited",
  "invitation.withdrawn": "Invitation withdrawn",
  "member.joined": "Member joined",
  "member.role_changed": "Role changed",
  "member.removed": "Member removed",
  "member.left": "Member left",
  "person.signed_in": "Signed in",
  "person.password_changed": "Password changed",
  "person.password_reset": "Password reset",
  "person.passkey_added": "Passkey added",
  "person.passkey_removed": "Passkey removed",
} as const;

export type Action = keyof typeof ACTIONS;

export type Subject = Action extends `${infer Name}.${string}` ? Name : never;

/** What actions are about. */
export const SUBJECTS = [...new Set(Object.keys(ACTIONS).map((action) => action.split(".")[0]))] as [
  Subject,
  ...Subject[],
];
