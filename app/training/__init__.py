"""The page of trainings, which run as processes of their own."""
