CREATE TABLE `ar_content` (
	`id` text PRIMARY KEY NOT NULL,
	`project_id` text NOT NULL,
	`company_id` text NOT NULL,
	`unique_id` text NOT NULL,
	`title` text NOT NULL,
	`description` text NOT NULL,
	`search_text` text NOT NULL,
	`image_path` text NOT NULL,
	`image_url` text NOT NULL,
	`image_type` text NOT NULL,
	`image_sha256` text NOT NULL,
	`image_width` integer NOT NULL,
	`image_height` integer NOT NULL,
	`image_bytes` integer NOT NULL,
	`generation` integer NOT NULL,
	`max_features` integer,
	`marker_status` text NOT NULL,
	`marker_path` text,
	`marker_url` text,
	`marker_generated_at` integer,
	`marker_metadata` text,
	`thumbnail_path` text,
	`thumbnail_url` text,
	`video_path` text,
	`video_url` text,
	`video_type` text,
	`video_bytes` integer,
	`video_version` integer DEFAULT 0 NOT NULL,
	`is_active` integer DEFAULT true NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `ar_content_unique_id_unique` ON `ar_content` (`unique_id`);--> statement-breakpoint
CREATE INDEX `ar_content_newest` ON `ar_content` (`company_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `ar_content_project` ON `ar_content` (`project_id`);--> statement-breakpoint
CREATE INDEX `ar_content_image` ON `ar_content` (`company_id`,`image_sha256`);--> statement-breakpoint
CREATE INDEX `ar_content_deleted` ON `ar_content` (`deleted_at`) WHERE deleted_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `companies` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`slug` text NOT NULL,
	`storage_connection_id` text,
	`storage_path` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`storage_connection_id`) REFERENCES `storage_connections`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `companies_slug_unique` ON `companies` (`slug`);--> statement-breakpoint
CREATE TABLE `compile_tasks` (
	`id` text PRIMARY KEY NOT NULL,
	`content_id` text NOT NULL,
	`company_id` text NOT NULL,
	`generation` integer NOT NULL,
	`state` text NOT NULL,
	`executor` text,
	`lease_hash` text,
	`lease_expires_at` integer,
	`attempts` integer DEFAULT 0 NOT NULL,
	`progress` text,
	`next_attempt_at` integer,
	`error_code` text,
	`error_message` text,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`finished_at` integer,
	FOREIGN KEY (`content_id`) REFERENCES `ar_content`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `compile_tasks_generation` ON `compile_tasks` (`content_id`,`generation`);--> statement-breakpoint
CREATE INDEX `compile_tasks_open` ON `compile_tasks` (`next_attempt_at`) WHERE state IN ('pending', 'processing');--> statement-breakpoint
CREATE TABLE `projects` (
	`id` text PRIMARY KEY NOT NULL,
	`company_id` text NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `projects_company` ON `projects` (`company_id`);--> statement-breakpoint
CREATE TABLE `storage_connections` (
	`id` text PRIMARY KEY NOT NULL,
	`company_id` text NOT NULL,
	`provider` text NOT NULL,
	`name` text NOT NULL,
	`settings` text,
	`last_test_at` integer,
	`last_test_error` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `storage_connections_company` ON `storage_connections` (`company_id`);