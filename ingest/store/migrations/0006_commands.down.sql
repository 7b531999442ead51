-- Back to schema 5.
DROP TABLE device_event;
DROP TABLE device_life;
DROP TABLE device_fact;
DROP TABLE command_step;
DROP TABLE command;
DROP TABLE wish;
