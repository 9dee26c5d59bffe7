"""wirecopy: finds the copies of an agency story and recovers the wording the agency sent out."""
