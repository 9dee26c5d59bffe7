"""One module a provider: `make(…)` gives it under the settings in force. docs/discovery.md says how to add one."""
