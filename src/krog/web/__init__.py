"""Floor 5: the portal for people, the desk for officials, the Open API, and the settings of Django."""
