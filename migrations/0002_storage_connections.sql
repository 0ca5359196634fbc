CREATE TABLE `file_moves` (
	`id` text PRIMARY KEY NOT NULL,
	`migration_id` text NOT NULL,
	`content_id` text NOT NULL,
	`kind` text NOT NULL,
	`from_storage_id` text,
	`from_path` text NOT NULL,
	`to_path` text NOT NULL,
	`state` text NOT NULL,
	`litter` integer NOT NULL,
	`bytes` integer,
	`upload_id` text,
	`parts` text NOT NULL,
	`attempts` integer NOT NULL,
	`error_code` text,
	`error_message` text,
	`created_at` integer NOT NULL,
	`finished_at` integer,
	FOREIGN KEY (`migration_id`) REFERENCES `storage_migrations`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`from_storage_id`) REFERENCES `storage_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `file_moves_path` ON `file_moves` (`migration_id`,`content_id`,`from_path`);--> statement-breakpoint
CREATE INDEX `file_moves_unfinished` ON `file_moves` (`migration_id`) WHERE state = 'copying' OR litter = 1;--> statement-breakpoint
CREATE TABLE `storage_migrations` (
	`id` text PRIMARY KEY NOT NULL,
	`company_id` text NOT NULL,
	`to_storage_id` text,
	`video_of` text,
	`state` text NOT NULL,
	`lease` text,
	`lease_expires_at` integer,
	`next_message_at` integer NOT NULL,
	`error_code` text,
	`error_message` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`finished_at` integer,
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`to_storage_id`) REFERENCES `storage_connections`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `storage_migrations_one` ON `storage_migrations` (`company_id`) WHERE state IN ('running', 'paused') AND video_of IS NULL;--> statement-breakpoint
CREATE INDEX `storage_migrations_open` ON `storage_migrations` (`next_message_at`) WHERE state IN ('running', 'cancelled');--> statement-breakpoint
CREATE TABLE `video_upload_parts` (
	`video_upload_id` text NOT NULL,
	`number` integer NOT NULL,
	`etag` text NOT NULL,
	`bytes` integer NOT NULL,
	PRIMARY KEY(`video_upload_id`, `number`),
	FOREIGN KEY (`video_upload_id`) REFERENCES `video_uploads`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `video_uploads` (
	`id` text PRIMARY KEY NOT NULL,
	`company_id` text NOT NULL,
	`content_id` text NOT NULL,
	`storage_id` text,
	`path` text NOT NULL,
	`upload_id` text NOT NULL,
	`type` text NOT NULL,
	`bytes` integer NOT NULL,
	`part_bytes` integer NOT NULL,
	`sha256` text,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`storage_id`) REFERENCES `storage_connections`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `video_uploads_content` ON `video_uploads` (`content_id`);--> statement-breakpoint
CREATE INDEX `video_uploads_expiry` ON `video_uploads` (`expires_at`);--> statement-breakpoint
-- Made anew: no version so far wrote a row to it.
DROP TABLE `storage_connections`;--> statement-breakpoint
CREATE TABLE `storage_connections` (
	`id` text PRIMARY KEY NOT NULL,
	`company_id` text NOT NULL,
	`provider` text NOT NULL,
	`name` text NOT NULL,
	`settings` text NOT NULL,
	`key_id` text NOT NULL,
	`usage` text,
	`usage_at` integer,
	`last_test_at` integer,
	`last_test_error` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `storage_connections_company` ON `storage_connections` (`company_id`);--> statement-breakpoint
ALTER TABLE `ar_content` ADD `image_storage_id` text REFERENCES storage_connections(id);--> statement-breakpoint
ALTER TABLE `ar_content` ADD `marker_storage_id` text REFERENCES storage_connections(id);--> statement-breakpoint
ALTER TABLE `ar_content` ADD `thumbnail_storage_id` text REFERENCES storage_connections(id);--> statement-breakpoint
ALTER TABLE `ar_content` ADD `video_storage_id` text REFERENCES storage_connections(id);