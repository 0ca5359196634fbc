CREATE TABLE `idempotency_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`company_id` text NOT NULL,
	`creation_id` text NOT NULL,
	`lease` text,
	`lease_expires_at` integer,
	`runs` integer NOT NULL,
	`fingerprint` text,
	`answer` text,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`company_id`) REFERENCES `companies`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_expiry` ON `idempotency_keys` (`expires_at`);