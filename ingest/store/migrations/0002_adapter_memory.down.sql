-- Sparkplug aliases are asked for again after the next start.
DROP TABLE adapter_memory;
