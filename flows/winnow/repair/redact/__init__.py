"""Personal data in texts: found by the checks that such data has, replaced, and kept out of the ledger."""
