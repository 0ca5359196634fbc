CREATE TABLE `orphaned_files` (
	`id` text PRIMARY KEY NOT NULL,
	`company_id` text NOT NULL,
	`content_id` text NOT NULL,
	`storage_id` text,
	`path` text NOT NULL,
	`upload_id` text,
	`is_reserved` integer NOT NULL,
	`created_at` integer NOT NULL,
	`due_at` integer NOT NULL,
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`storage_id`) REFERENCES `storage_connections`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `orphaned_files_storage` ON `orphaned_files` (`storage_id`);--> statement-breakpoint
CREATE INDEX `orphaned_files_due` ON `orphaned_files` (`due_at`);