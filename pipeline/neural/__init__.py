"""A small neural language model that judges attested readings: installed apart, used where it is, needed nowhere."""
