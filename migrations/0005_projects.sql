ALTER TABLE `ar_content` ADD `expires_at` integer;--> statement-breakpoint
ALTER TABLE `projects` ADD `max_features` integer;--> statement-breakpoint
ALTER TABLE `projects` ADD `expires_after_days` integer;--> statement-breakpoint
ALTER TABLE `projects` ADD `archived_at` integer;