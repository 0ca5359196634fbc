CREATE TABLE `content_counts` (
	`company_id` text NOT NULL,
	`project_id` text NOT NULL,
	`marker_status` text NOT NULL,
	`contents` integer NOT NULL,
	PRIMARY KEY(`company_id`, `project_id`, `marker_status`),
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
DROP INDEX `ar_content_newest`;--> statement-breakpoint
DROP INDEX `ar_content_project`;--> statement-breakpoint
DROP INDEX `ar_content_image`;--> statement-breakpoint
DROP INDEX `ar_content_deleted`;--> statement-breakpoint
CREATE INDEX `ar_content_status` ON `ar_content` (`company_id`,`marker_status`,`created_at`,`id`,`project_id`) WHERE deleted_at IS NULL;--> statement-breakpoint
CREATE INDEX `ar_content_project_status` ON `ar_content` (`project_id`,`marker_status`,`created_at`,`id`) WHERE deleted_at IS NULL;--> statement-breakpoint
CREATE INDEX `ar_content_files` ON `ar_content` (`company_id`,`id`);--> statement-breakpoint
CREATE INDEX `ar_content_image_storage_id` ON `ar_content` (`image_storage_id`) WHERE image_storage_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `ar_content_marker_storage_id` ON `ar_content` (`marker_storage_id`) WHERE marker_storage_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `ar_content_thumbnail_storage_id` ON `ar_content` (`thumbnail_storage_id`) WHERE thumbnail_storage_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `ar_content_video_storage_id` ON `ar_content` (`video_storage_id`) WHERE video_storage_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `ar_content_qr_code_storage_id` ON `ar_content` (`qr_code_storage_id`) WHERE qr_code_storage_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `ar_content_newest` ON `ar_content` (`company_id`,`created_at`,`id`,`project_id`) WHERE deleted_at IS NULL;--> statement-breakpoint
CREATE INDEX `ar_content_project` ON `ar_content` (`project_id`,`created_at`,`id`) WHERE deleted_at IS NULL;--> statement-breakpoint
CREATE INDEX `ar_content_image` ON `ar_content` (`company_id`,`image_sha256`,`marker_generated_at`);--> statement-breakpoint
CREATE INDEX `ar_content_deleted` ON `ar_content` (`company_id`,`deleted_at`) WHERE deleted_at IS NOT NULL;--> statement-breakpoint
DROP INDEX `video_uploads_expiry`;--> statement-breakpoint
CREATE INDEX `video_uploads_storage` ON `video_uploads` (`storage_id`) WHERE storage_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `video_uploads_expiry` ON `video_uploads` (`company_id`,`expires_at`);--> statement-breakpoint
CREATE INDEX `audit_log_action` ON `audit_log` (`company_id`,`action`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `audit_log_actor` ON `audit_log` (`company_id`,`actor_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `audit_log_object` ON `audit_log` (`company_id`,`object_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `audit_log_age` ON `audit_log` (`created_at`);--> statement-breakpoint
CREATE INDEX `companies_storage_connection` ON `companies` (`storage_connection_id`) WHERE storage_connection_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `companies_created_by` ON `companies` (`created_by`) WHERE created_by IS NOT NULL;--> statement-breakpoint
CREATE INDEX `compilation_days_day` ON `compilation_days` (`day`);--> statement-breakpoint
CREATE INDEX `compile_tasks_spent` ON `compile_tasks` (`next_attempt_at`) WHERE state IN ('pending', 'processing') AND attempts >= 6;--> statement-breakpoint
CREATE INDEX `file_moves_from` ON `file_moves` (`from_storage_id`,`migration_id`) WHERE from_storage_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `file_moves_finished` ON `file_moves` (`migration_id`,`finished_at`);--> statement-breakpoint
CREATE INDEX `invitations_expiry` ON `invitations` (`expires_at`);--> statement-breakpoint
CREATE INDEX `invitations_status` ON `invitations` (`status`);--> statement-breakpoint
CREATE INDEX `invitations_inviter` ON `invitations` (`inviter_id`);--> statement-breakpoint
CREATE INDEX `sessions_expiry` ON `sessions` (`expires_at`);--> statement-breakpoint
CREATE INDEX `storage_connections_key` ON `storage_connections` (`key_id`);--> statement-breakpoint
CREATE INDEX `storage_migrations_due` ON `storage_migrations` (`next_message_at`) WHERE state IN ('running', 'cancelled') AND finished_at IS NULL;--> statement-breakpoint
CREATE INDEX `storage_migrations_newest` ON `storage_migrations` (`company_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `storage_migrations_to` ON `storage_migrations` (`to_storage_id`) WHERE to_storage_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `verifications_value` ON `verifications` (`value`);--> statement-breakpoint
CREATE INDEX `verifications_expiry` ON `verifications` (`expires_at`);--> statement-breakpoint
CREATE INDEX `webhook_deliveries_state` ON `webhook_deliveries` (`endpoint_id`,`state`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `webhook_deliveries_oldest` ON `webhook_deliveries` (`company_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `webhook_endpoints_rotated` ON `webhook_endpoints` (`previous_secret_expires_at`) WHERE previous_secret_expires_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `webhook_endpoints_secret` ON `webhook_endpoints` (`secret`);--> statement-breakpoint
CREATE INDEX `webhook_endpoints_previous_secret` ON `webhook_endpoints` (`previous_secret`) WHERE previous_secret IS NOT NULL;--> statement-breakpoint
CREATE INDEX `webhook_events_oldest` ON `webhook_events` (`company_id`,`created_at`,`id`);
--> statement-breakpoint
CREATE INDEX `audit_log_subject` ON `audit_log` (`company_id`, substr(`action`, 1, instr(`action`, '.') - 1), `created_at`, `id`);
--> statement-breakpoint
-- The totals of lists, counted in the transaction of each change.
INSERT INTO content_counts (company_id, project_id, marker_status, contents)
  SELECT company_id, project_id, marker_status, count(*) FROM ar_content WHERE deleted_at IS NULL GROUP BY 1, 2, 3;
--> statement-breakpoint
CREATE TRIGGER content_counts_inserted AFTER INSERT ON ar_content WHEN new.deleted_at IS NULL BEGIN
  INSERT INTO content_counts (company_id, project_id, marker_status, contents) VALUES (new.company_id, new.project_id, new.marker_status, 1)
    ON CONFLICT (company_id, project_id, marker_status) DO UPDATE SET contents = contents + 1;
END;
--> statement-breakpoint
CREATE TRIGGER content_counts_deleted AFTER DELETE ON ar_content WHEN old.deleted_at IS NULL BEGIN
  UPDATE content_counts SET contents = contents - 1
    WHERE company_id = old.company_id AND project_id = old.project_id AND marker_status = old.marker_status;
END;
--> statement-breakpoint
CREATE TRIGGER content_counts_updated AFTER UPDATE OF company_id, project_id, marker_status, deleted_at ON ar_content
WHEN old.company_id <> new.company_id OR old.project_id <> new.project_id OR old.marker_status <> new.marker_status
  OR (old.deleted_at IS NULL) <> (new.deleted_at IS NULL)
BEGIN
  UPDATE content_counts SET contents = contents - 1
    WHERE old.deleted_at IS NULL AND company_id = old.company_id AND project_id = old.project_id AND marker_status = old.marker_status;
  INSERT INTO content_counts (company_id, project_id, marker_status, contents)
    SELECT new.company_id, new.project_id, new.marker_status, 1 WHERE new.deleted_at IS NULL
    ON CONFLICT (company_id, project_id, marker_status) DO UPDATE SET contents = contents + 1;
END;
--> statement-breakpoint
-- The search in titles and descriptions (worker/content/search.ts): the trigrams of each photo's text, and of the
-- beginning of its company's id, which keeps the photos of other companies out of a search. It stores no text.
CREATE VIRTUAL TABLE content_search USING fts5(company, text, tokenize = 'trigram', content = '', contentless_delete = 1, detail = 'column');
--> statement-breakpoint
INSERT INTO content_search (rowid, company, text) SELECT rowid, substr(company_id, 1, 8), search_text FROM ar_content;
--> statement-breakpoint
CREATE TRIGGER content_search_inserted AFTER INSERT ON ar_content BEGIN
  INSERT INTO content_search (rowid, company, text) VALUES (new.rowid, substr(new.company_id, 1, 8), new.search_text);
END;
--> statement-breakpoint
CREATE TRIGGER content_search_deleted AFTER DELETE ON ar_content BEGIN
  DELETE FROM content_search WHERE rowid = old.rowid;
END;
--> statement-breakpoint
CREATE TRIGGER content_search_updated AFTER UPDATE OF company_id, search_text ON ar_content
WHEN old.company_id <> new.company_id OR old.search_text <> new.search_text
BEGIN
  UPDATE content_search SET company = substr(new.company_id, 1, 8), text = new.search_text WHERE rowid = new.rowid;
END;
--> statement-breakpoint
-- The sweep finds compilations by the time of their message.
UPDATE compile_tasks SET next_attempt_at = created_at WHERE state IN ('pending', 'processing') AND next_attempt_at IS NULL;
