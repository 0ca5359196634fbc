CREATE TABLE `compilation_days` (
	`company_id` text NOT NULL,
	`day` text NOT NULL,
	`compilations` integer NOT NULL,
	PRIMARY KEY(`company_id`, `day`),
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
ALTER TABLE `companies` ADD `content_count` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `companies` ADD `content_bytes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `companies` ADD `max_contents` integer;--> statement-breakpoint
ALTER TABLE `companies` ADD `max_bytes` integer;--> statement-breakpoint
ALTER TABLE `companies` ADD `max_compilations_a_day` integer;