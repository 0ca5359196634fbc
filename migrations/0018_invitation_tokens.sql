ALTER TABLE `invitations` ADD `mail_token_hash` text;--> statement-breakpoint
ALTER TABLE `invitations` ADD `shown_token_hash` text;--> statement-breakpoint
CREATE UNIQUE INDEX `invitations_mail_token_hash_unique` ON `invitations` (`mail_token_hash`);--> statement-breakpoint
CREATE UNIQUE INDEX `invitations_shown_token_hash_unique` ON `invitations` (`shown_token_hash`);--> statement-breakpoint
-- Until now the id of an invitation was the secret of its link, and the activity log holds it. All get other ids, also
-- in the log. Open invitations are withdrawn, because their tokens cannot be made here; the log says so.
CREATE TABLE `renamed_invitations` (`old_id` text PRIMARY KEY NOT NULL, `new_id` text NOT NULL);
--> statement-breakpoint
INSERT INTO `renamed_invitations`
SELECT `id`, lower(hex(randomblob(16))) FROM (
  SELECT `id` FROM `invitations`
  UNION
  SELECT `object_id` FROM `audit_log` WHERE `action` IN ('member.invited', 'invitation.withdrawn')
);
--> statement-breakpoint
UPDATE `invitations` SET `id` = (SELECT `new_id` FROM `renamed_invitations` WHERE `old_id` = `id`);
--> statement-breakpoint
UPDATE `audit_log` SET `object_id` = (SELECT `new_id` FROM `renamed_invitations` WHERE `old_id` = `object_id`)
WHERE `action` IN ('member.invited', 'invitation.withdrawn');
--> statement-breakpoint
DROP TABLE `renamed_invitations`;
--> statement-breakpoint
INSERT INTO `audit_log` (`id`, `company_id`, `created_at`, `actor_kind`, `actor_id`, `actor_name`, `address`, `action`, `object_id`, `object_name`, `detail`)
SELECT lower(hex(randomblob(16))), `company_id`, unixepoch() * 1000, 'platform', 'platform', 'Vivimark', '', 'invitation.withdrawn', `id`, `email`, json_object('role', `role`)
FROM `invitations` WHERE `status` = 'pending' AND `expires_at` > unixepoch() * 1000;
--> statement-breakpoint
UPDATE `invitations` SET `status` = 'canceled' WHERE `status` = 'pending';
--> statement-breakpoint
-- The inviter could open the link and create the account too. Only a reset by email has shown who has the address.
UPDATE `users` SET `email_verified` = (`id` IN (SELECT `object_id` FROM `audit_log` WHERE `action` = 'person.password_reset'));
--> statement-breakpoint
-- The tokens of these links are stored as they are.
DELETE FROM `verifications` WHERE `identifier` LIKE 'reset-password:%';
--> statement-breakpoint
DELETE FROM `mails` WHERE `body` LIKE '%/invitation#%' OR `body` LIKE '%/reset-password#%';
