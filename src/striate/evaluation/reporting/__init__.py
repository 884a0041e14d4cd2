"""The verdict told: terminal text, report, model card and its checklist, pages of comparisons, folds and curves."""
